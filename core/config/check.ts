/** Checks values against schemas and turns what zod finds into findings with a place. */

import type { z } from "zod";
import { showValue } from "./describe.ts";
import type { Report } from "./report.ts";
import { didYouMean } from "./suggest.ts";
import { isMapping, keyOf, valueAt, valueOf, within, type Place } from "./tree.ts";

/** The value as the schema makes it; undefined, and reported, when it does not fit. */
export function checkValue<Schema extends z.ZodType>(place: Place, schema: Schema, report: Report): z.output<Schema> | undefined {
  const value = valueOf(place);
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const told = new Set<string>();
  for (const issue of result.error.issues) {
    const path = issue.path.filter((segment) => typeof segment !== "symbol");
    // What is of the wrong kind is also too short.
    const where = JSON.stringify(path);
    if (told.has(where)) continue;
    told.add(where);
    const found = valueAt(value, path);
    const at = within(place, ...path);
    report.error(at, `${missingOr(showValue(found, at.path))}; wanted ${wantedBy(issue, found, schema)}.${hint(issue, found)}`);
  }
  return undefined;
}

/**
 * Checks a mapping key by key, so that one wrong key does not hide what the others say.
 * Keys the schema does not know are left to {@link checkKeys}.
 *
 * @returns the keys that are right; undefined, and reported, when the value is no mapping
 */
export function checkMapping<Schema extends z.ZodObject>(
  place: Place,
  schema: Schema,
  report: Report,
): Partial<z.output<Schema>> | undefined {
  const value = valueOf(place);
  if (!isMapping(value)) {
    report.error(place, `${missingOr(showValue(value, place.path))}; wanted a mapping with ${listSome(Object.keys(schema.shape))}.`);
    return undefined;
  }
  const checked: Record<string, unknown> = {};
  for (const [key, keySchema] of Object.entries(schema.shape))
    checked[key] = checkValue(within(place, key), keySchema as z.ZodType, report);
  return checked as Partial<z.output<Schema>>;
}

export interface KnownKeys {
  /** Keys that have an effect. */
  readonly effective: readonly string[];
  /** Keys that are accepted without one, for suggestions. */
  readonly later?: readonly string[];
  /** What the note on such a key says; undefined for a key that nobody knows. */
  laterNote?(key: string): string | undefined;
}

export interface KeyOptions {
  /** Whether a key nobody knows stops the start. */
  readonly unknown: "error" | "warning";
  /** Paths of keys already told of, so that each is told once a load. */
  readonly told: Set<string>;
}

/** Reports keys that are unknown, and once each those that have no effect. */
export function checkKeys(place: Place, known: KnownKeys, options: KeyOptions, report: Report): void {
  const value = valueOf(place);
  if (!isMapping(value)) return;
  for (const key of Object.keys(value)) {
    if (known.effective.includes(key)) continue;
    const at = keyOf(within(place, key));
    const later = known.laterNote?.(key);
    if (later === undefined) {
      const nearest = didYouMean(key, [...known.effective, ...(known.later ?? [])]);
      if (options.unknown === "warning") report.warning(at, `is no key that is known here; it has no effect.${nearest}`);
      else report.error(at, `is no key that is known here.${nearest || ` There are ${listWords(known.effective)}.`}`);
      continue;
    }
    const generalPath = at.path.map((segment) => (typeof segment === "number" ? "" : segment)).join("\n");
    if (options.told.has(generalPath)) continue;
    options.told.add(generalPath);
    report.note(at, later);
  }
}

/** `a, b and c`. */
export function listWords(words: readonly string[], joint: "and" | "or" = "and"): string {
  return words.length < 2 ? words.join("") : `${words.slice(0, -1).join(", ")} ${joint} ${words.at(-1)}`;
}

/** The first few, for a mapping with many keys. */
function listSome(words: readonly string[]): string {
  return words.length <= 4 ? listWords(words) : `${words.slice(0, 3).join(", ")} and more`;
}

function missingOr(shown: string): string {
  return shown === "missing" ? "is missing" : `is ${shown}`;
}

const typeWords: Readonly<Record<string, string>> = {
  string: "text",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
  array: "a list",
  object: "a mapping",
  record: "a mapping",
};

function wantedBy(issue: z.core.$ZodIssue, found: unknown, schema: z.ZodType): string {
  if (issue.code === "invalid_type" && issue.expected === "number") {
    const unit = schema.meta()?.["type"];
    const number = typeof found === "number" ? "a finite number" : "a number";
    return unit === "seconds" || unit === "megabytes" ? `${number} of ${unit}` : number;
  }
  if (issue.code === "invalid_type") return typeWords[issue.expected] ?? issue.expected;
  if (issue.code === "invalid_value") return listWords(issue.values.map(String), "or");
  if (issue.code === "too_small") {
    return issue.origin === "string" ? "text that is not empty" : `${issue.inclusive === true ? "at least" : "more than"} ${issue.minimum}`;
  }
  return issue.code === "too_big" ? `at most ${issue.maximum}` : issue.message;
}

function hint(issue: z.core.$ZodIssue, found: unknown): string {
  if (issue.code === "invalid_type" && issue.expected === "string" && (typeof found === "number" || typeof found === "boolean")) {
    return " Put it in quotes.";
  }
  if (issue.code !== "invalid_value" || typeof found !== "string") return "";
  return didYouMean(found, issue.values.map(String));
}
