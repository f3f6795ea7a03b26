/** Puts values into words for messages, without ever showing what may be a secret. */

import type { Path } from "./tree.ts";

const maxShown = 60;
const sensitiveKey = /api_?key|secret|token$|token_|password|passwd|credential|authorization|cookie|master_key|access_key|private_key/i;
const sensitiveSections: ReadonlySet<string | number> = new Set(["environment_variables", "extra_headers", "oat_sources", "credentials"]);

/** Whether what stands at this path is, or may hold, a credential. */
export function isSensitivePath(path: Path): boolean {
  return path.some((segment) => sensitiveSections.has(segment) || (typeof segment === "string" && sensitiveKey.test(segment)));
}

/** e.g. `a list`, `text`. */
export function describeValue(value: unknown): string {
  if (value === null) return "empty";
  if (value === undefined) return "missing";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "string") return "text";
  if (typeof value === "number") return "a number";
  return typeof value === "boolean" ? "true or false" : "a mapping";
}

/** The value itself where that is short and harmless, else its kind. */
export function showValue(value: unknown, path: Path): string {
  if (isSensitivePath(path)) return describeValue(value);
  if (typeof value === "string") return quote(value);
  if (typeof value === "number") return `${value} (a number)`;
  return typeof value === "boolean" ? `${value} (a truth value)` : describeValue(value);
}

/** Text in quotes, cut, with everything escaped that a terminal would act on. */
export function quote(text: string): string {
  const cut = text.length > maxShown ? `${text.slice(0, maxShown)}…` : text;
  return printable(JSON.stringify(cut));
}

// Control characters, and those that are invisible or reorder text on screen.
const unprintable = /[\p{Cc}\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]/gu;

/** Replaces what a terminal would act on by its escape. */
export function printable(text: string): string {
  return text.replace(unprintable, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
