/** Narrowing of parsed JSON. */

import type { Json } from "../body.ts";

export type JsonRecord = { readonly [key: string]: Json };

export function text(value: Json | undefined): string | undefined {
  return typeof value === "string" ? value : undefined;
}

export function record(value: Json | undefined): JsonRecord | undefined {
  return isRecord(value) ? value : undefined;
}

function isRecord(value: Json | undefined): value is JsonRecord {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
