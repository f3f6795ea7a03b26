/** Removes secrets from text: the exact values that were loaded, in the encodings they travel in, and what looks like a key. */

import { redactPatterns } from "./secret-patterns.ts";

export const redactedMark = "[redacted]";

/** Shorter values would black out ordinary words. */
const shortestSecret = 8;
/** Characters of a form that the filter looks at. */
const keyLength = 4;

/**
 * Makes a function that replaces every secret in a text by `[redacted]`. Compile once per set of secrets and keep it:
 * the cost per text does not depend on how many there are. Values shorter than 8 characters are left alone.
 */
export function createRedactor(secrets: readonly string[]): (text: string) => string {
  const matcher = compile([...new Set(secrets.flatMap(formsOf))]);
  return (text) => redactPatterns(matcher === undefined ? text : redactExact(text, matcher));
}

interface Matcher {
  /** Non-zero where a form may begin with these four characters; answers nearly every position with one look. */
  readonly filter: Uint8Array;
  /** Longest first, so that a form never leaves the tail of a longer one behind. */
  readonly formsByKey: ReadonlyMap<number, readonly string[]>;
}

function compile(forms: readonly string[]): Matcher | undefined {
  if (forms.length === 0) return undefined;
  const filter = new Uint8Array(1 << 16);
  const formsByKey = new Map<number, string[]>();
  for (const form of forms.toSorted((a, b) => b.length - a.length)) {
    let key = 0;
    for (let index = 0; index < keyLength; index++) key = extendKey(key, form.charCodeAt(index));
    filter[filterIndex(key)] = 1;
    const sameKey = formsByKey.get(key);
    if (sameKey === undefined) formsByKey.set(key, [form]);
    else sameKey.push(form);
  }
  return { filter, formsByKey };
}

function redactExact(text: string, { filter, formsByKey }: Matcher): string {
  let result = "";
  let copiedTo = 0;
  let key = 0;
  for (let index = 0; index < text.length; index++) {
    key = extendKey(key, text.charCodeAt(index));
    if (filter[filterIndex(key)] === 0) continue;
    const start = index - keyLength + 1;
    if (start < copiedTo) continue;
    const form = formsByKey.get(key)?.find((candidate) => text.startsWith(candidate, start));
    if (form === undefined) continue;
    result += text.slice(copiedTo, start) + redactedMark;
    copiedTo = start + form.length;
    index = copiedTo - 1;
  }
  return copiedTo === 0 ? text : result + text.slice(copiedTo);
}

/** Shifts one character into the four that the key stands for; older ones fall out at the top. */
function extendKey(key: number, charCode: number): number {
  return (key << 8) | (charCode & 0xff);
}

function filterIndex(key: number): number {
  return Math.imul(key, 0x9e3779b1) >>> 16;
}

/** The ways in which one secret may stand in a line of JSON. */
function formsOf(secret: string): string[] {
  // A value that the mark itself contains would be found again in every redacted text.
  if (secret.length < shortestSecret || redactedMark.includes(secret)) return [];
  const inJson = JSON.stringify(secret).slice(1, -1);
  const inUrl = encodeURIComponent(secret.toWellFormed());
  return [
    secret,
    inJson,
    JSON.stringify(inJson).slice(1, -1),
    inUrl,
    inUrl.replaceAll(/%../g, (escape) => escape.toLowerCase()),
    inUrl.replaceAll("%20", "+"),
    ...base64Forms(secret),
  ];
}

/**
 * The characters that depend on the secret alone, for each of the three ways in which it may be aligned
 * inside a longer encoded text (`user:password` of Basic authentication, for one).
 */
function base64Forms(secret: string): string[] {
  const bytes = Buffer.from(secret, "utf8");
  return [0, 1, 2].flatMap((bytesBefore) => {
    const encoded = Buffer.concat([Buffer.alloc(bytesBefore), bytes]).toString("base64");
    const core = encoded.slice(Math.ceil((bytesBefore * 8) / 6), Math.floor(((bytesBefore + bytes.length) * 8) / 6));
    return [core, core.replaceAll("+", "-").replaceAll("/", "_")];
  });
}
