/** JSON as weak models write it: trailing commas, other quotes, unquoted names, fences, a text where an object was meant. */

import { jsonrepair } from "jsonrepair";
import type { Json } from "../../../sdk/body.ts";
import { parseExactly } from "../../../sdk/hub/exact-json.ts";
import { type JsonRecord, record } from "../../../sdk/hub/json.ts";

/** Longer ones are left alone. */
const mostCharacters = 1_000_000;

/** Undefined where the text is no JSON object. */
export function parseObject(text: string): JsonRecord | undefined {
  return record(parse(text, parseExactly));
}

/**
 * Undefined where no object can be made of it, or where its end is missing: then nobody knows what else is.
 * @param text that is no JSON object as it stands
 */
export function repairObject(text: string): JsonRecord | undefined {
  if (text.length > mostCharacters) return undefined;
  // An object within a text: `"{\"a\":1}"`.
  const inner = parse(text, parseExactly);
  if (typeof inner === "string") return parseObject(inner) ?? repairObject(inner);
  if (inner !== undefined) return undefined;
  const bare = withoutFence(text);
  if (!bare.startsWith("{") || !bare.endsWith("}")) return undefined;
  return record(parse(bare, (json) => parseExactly(jsonrepair(json))));
}

function parse(text: string, read: (text: string) => Json): Json | undefined {
  try {
    return read(text);
  } catch {
    return undefined;
  }
}

function withoutFence(text: string): string {
  const trimmed = text.trim();
  if (!trimmed.startsWith("```")) return trimmed;
  const start = trimmed.indexOf("\n");
  const end = trimmed.endsWith("```") ? trimmed.length - 3 : trimmed.length;
  return start === -1 || start > end ? trimmed : trimmed.slice(start + 1, end).trim();
}
