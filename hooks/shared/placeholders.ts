/** Puts placeholders in the place of secrets, and secrets back in the place of placeholders. */

import type { SecretKind } from "./secret-kinds.ts";
import { findSecrets, merged, type Found } from "./secrets.ts";

/** Letters that need no escape anywhere: not in JSON, in a shell, in a URL. Other tools' texts hardly hold them. */
const prefix = "SECRET_";
const placeholder: RegExp = /SECRET_[A-Z][A-Z0-9_]*_[0-9a-f]{16}/g;

export interface Extra {
  readonly kind: string;
  /** Global; group 1 is the secret where there is one. */
  readonly pattern: RegExp;
}

export interface PlaceholderOptions {
  /** The same 16 hexadecimal digits for the same text. */
  readonly pseudonym: (text: string) => string;
  readonly words: readonly string[];
  readonly patterns: readonly Extra[];
  /** The built-in kinds to look for. */
  readonly kinds: readonly SecretKind[];
}

/** Shorter values are not looked for on their own, and stay placeholders in replies: they would turn up everywhere. */
const shortestCarried = 8;
const mostCarried = 100;

/**
 * Replaces the secrets of one text after the other, in the order of the request. What was told by its surroundings
 * (`PASSWORD=…`) is found in later texts without them: the reply is given back with the secret in it, and the next
 * turn has to come to the same bytes. For the same reason nothing that comes later changes an earlier text.
 */
export class Placeholders {
  /** Secret by placeholder, of those that replies may hold. */
  readonly secrets: Map<string, string> = new Map<string, string>();
  readonly counts: Record<string, number> = {};
  readonly #options: PlaceholderOptions;
  readonly #carried = new Map<string, string>();

  constructor(options: PlaceholderOptions) {
    this.#options = options;
  }

  replaceIn(text: string): string {
    const found = this.#find(text);
    if (found.length === 0) return text;
    let replaced = "";
    let end = 0;
    for (const each of found) {
      const secret = text.slice(each.start, each.end);
      replaced += text.slice(end, each.start) + this.#nameOf(secret, each.kind);
      end = each.end;
    }
    return replaced + text.slice(end);
  }

  #find(text: string): Found[] {
    const { words, patterns, kinds } = this.#options;
    const byLook = findSecrets(text, kinds);
    const byPattern = patterns.flatMap(({ kind, pattern }) => findPattern(text, pattern, kind));
    for (const { start, end, kind } of [...byLook, ...byPattern]) {
      if (end - start >= shortestCarried && this.#carried.size < mostCarried) this.#carried.set(text.slice(start, end), kind);
    }
    const byWord = words.flatMap((word) => findText(text, word, "word"));
    const again = [...this.#carried].flatMap(([secret, kind]) => findText(text, secret, kind));
    const found = merged([...byLook, ...byPattern, ...byWord, ...again]);
    if (found.length === 0 || !text.includes(prefix)) return found;
    // A placeholder that stands there already may look like a secret, too.
    const taken = [...text.matchAll(placeholder)].map((match) => ({ start: match.index, end: match.index + match[0].length }));
    return found.filter(({ start, end }) => !taken.some((other) => start < other.end && other.start < end));
  }

  #nameOf(secret: string, kind: string): string {
    const name = `${prefix}${kind.toUpperCase()}_${this.#options.pseudonym(secret)}`;
    this.counts[kind] = (this.counts[kind] ?? 0) + 1;
    if (kind === "word" || secret.length >= shortestCarried) this.secrets.set(name, secret);
    return name;
  }
}

function findText(text: string, wanted: string, kind: string): Found[] {
  const found: Found[] = [];
  for (let at = text.indexOf(wanted); at >= 0; at = text.indexOf(wanted, at + wanted.length)) {
    found.push({ start: at, end: at + wanted.length, kind });
  }
  return found;
}

function findPattern(text: string, pattern: RegExp, kind: string): Found[] {
  return [...text.matchAll(pattern)].flatMap((match) => {
    const value = match[1] ?? match[0];
    const start = match.index + match[0].indexOf(value);
    return value === "" ? [] : [{ start, end: start + value.length, kind }];
  });
}

/** Puts the secrets back. @param encode how they have to be written here */
export function restore(text: string, secrets: Readonly<Record<string, string>>, encode: (secret: string) => string = String): string {
  if (!text.includes(prefix)) return text;
  let restored = text;
  for (const [name, secret] of Object.entries(secrets)) restored = restored.replaceAll(name, () => encode(secret));
  return restored;
}

/** Where a placeholder may have begun that the text ends within; its length when none has. */
export function unfinishedFrom(text: string, names: readonly string[]): number {
  const longest = Math.max(0, ...names.map((name) => name.length));
  for (let at = text.indexOf("S", Math.max(0, text.length - longest + 1)); at >= 0; at = text.indexOf("S", at + 1)) {
    const tail = text.slice(at);
    if (names.some((name) => name.length > tail.length && name.startsWith(tail))) return at;
  }
  return text.length;
}
