/** What SQLite gives, as JavaScript has it. */

import type { SQLOutputValue } from "node:sqlite";

import type { Json } from "../../sdk/body.ts";

/** What nobody can have written. */
export class DamagedValue extends Error {
  override readonly name = "DamagedValue";
}

type Output = SQLOutputValue | undefined;

export function optionalText(value: Output): string | undefined {
  return value === null || value === undefined ? undefined : String(value);
}

export function optionalNumber(value: Output): number | undefined {
  return value === null || value === undefined ? undefined : Number(value);
}

export function numberOrNull(value: Output): number | null {
  return optionalNumber(value) ?? null;
}

/** Of JSON. @throws DamagedValue, without what is there */
export function parseStored(value: Output): Json {
  try {
    return JSON.parse(String(value)) as Json;
  } catch {
    throw new DamagedValue("a value is no JSON");
  }
}

/** Whole and exact; what is larger stays at the largest, so that a counter never starts again from below. */
export function wholeNumber(value: number): number {
  return Math.min(Math.max(Math.ceil(value), Number.MIN_SAFE_INTEGER), Number.MAX_SAFE_INTEGER);
}
