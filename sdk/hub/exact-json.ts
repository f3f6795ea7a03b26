/** JSON whose numbers keep all their digits, for texts that are parsed only to be written again. */

import type { Json } from "../body.ts";

/** The declarations of the language do not know of what follows yet. */
const json: object = JSON;
const parseWithSource: (text: string, reviver: (key: string, value: Json, context: { readonly source?: string }) => Json) => Json =
  Reflect.get(json, "parse");
const rawJson: (text: string) => Json = Reflect.get(json, "rawJSON");

/** Only numbers this long, or written with an exponent, can lose anything. */
const suspicious = /[\d.]{16}|\d[eE][+-]?\d/;

/**
 * Like `JSON.parse`, but `JSON.stringify` gives numbers back as they were written.
 * @throws SyntaxError
 */
export function parseExactly(text: string): Json {
  if (!suspicious.test(text)) {
    const value: Json = JSON.parse(text);
    return value;
  }
  return parseWithSource(text, (_, value, { source }) =>
    typeof value === "number" && source !== undefined && String(value) !== source ? rawJson(source) : value,
  );
}
