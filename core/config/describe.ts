/** Puts values into words for messages, without ever showing what may be a secret. */

import type { Path } from "./tree.ts";

/** Stands for what is not shown. */
export const mask = "…";

const maxShown = 60;
const sensitiveKey =
  /api_?key|secret|token$|token_|password|passwd|credential|authorization|cookie|master_key|access_key|private_key|webhook/i;
const sensitiveSections: ReadonlySet<string | number> = new Set(["environment_variables", "extra_headers", "oat_sources", "credentials"]);

/** Whether what stands at this path is, or may hold, a credential. */
export function isSensitivePath(path: Path): boolean {
  return path.some((segment) => sensitiveSections.has(segment) || (typeof segment === "string" && sensitiveKey.test(segment)));
}

/** e.g. `a list`, `text`. */
export function describeValue(value: unknown): string {
  if (value === null || value === "") return "empty";
  if (value === undefined) return "missing";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "string") return "text";
  if (typeof value === "number") return "a number";
  return typeof value === "boolean" ? "true or false" : "a mapping";
}

/** The value itself where that is short and harmless, else its kind. */
export function showValue(value: unknown, path: Path): string {
  if (isSensitivePath(path)) return describeValue(value);
  if (typeof value === "string" && value !== "") return quote(value);
  if (typeof value === "number") return `${value} (a number)`;
  return typeof value === "boolean" ? `${value} (a truth value)` : describeValue(value);
}

/** Text in quotes, cut and masked, with everything escaped that a terminal would act on. */
export function quote(text: string): string {
  // The patterns are not made for text of any length.
  const masked = maskSecrets(text.slice(0, maxShown * 8)).replace(/… +/g, mask);
  return printable(JSON.stringify(masked.length > maxShown ? `${masked.slice(0, maxShown)}…` : masked));
}

const sensitiveInside = /(["']?[\w-]*(?:key|secret|token|password|passwd|credential|authorization|cookie)[\w-]*["']?\s*[:=]\s*)\S.*$/is;
const urlCredentials = /(?<=:\/\/)[^\s/@"']+(?=@)/g;
// Forms that credentials of the providers have, wherever they stand.
const tokenForms = /(?<![a-z0-9])(?:sk-|pk-|xai-|gsk_|ghp_|github_pat_|AIza|AKIA|ya29\.|eyJ|Bearer\s+)[\w\-.~+/=]{4,}/gi;
// Runs of letters and digits that are no word, no number and no date; model names have none so long.
const randomRuns = /(?<![a-z0-9])(?=[a-z]*\d)(?=\d*[a-z])[a-z0-9]{16,}/gi;
const mixedRuns = /(?=[A-Za-z]*\d)(?=[A-Z\d]*[a-z])(?=[a-z\d]*[A-Z])[A-Za-z0-9]{10,}/g;

/** Strikes out what has the form of a credential, and what follows a name for one. */
export function maskSecrets(text: string): string {
  return maskTokens(text.replace(sensitiveInside, `$1${mask}`));
}

/** Strikes out what has the form of a credential, whatever stands before it. */
export function maskTokens(text: string): string {
  return text
    .replaceAll(urlCredentials, padded)
    .replaceAll(tokenForms, padded)
    .replaceAll(randomRuns, padded)
    .replaceAll(mixedRuns, padded);
}

/** As long as what it stands for, so that a caret behind it stays where it belongs. */
function padded(text: string): string {
  return mask.padEnd(text.length);
}

// Control characters, and those that are invisible or reorder text on screen.
const unprintable = /[\p{Cc}\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]/gu;

/** Replaces what a terminal would act on by its escape. */
export function printable(text: string): string {
  return text.replace(unprintable, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
