/** Looks at values of a body by their first byte, and reads short strings. */

import type { RequestBody, Span } from "../../sdk/body.ts";

const QUOTE = 0x22;
const OPEN_BRACKET = 0x5b;
/** Names and types are short; a longer string is content. */
const SHORT_BYTES = 200;

export function isText(body: RequestBody, span: Span): boolean {
  return body.bytes[span.start] === QUOTE;
}

export function isList(body: RequestBody, span: Span): boolean {
  return body.bytes[span.start] === OPEN_BRACKET;
}

/** Bytes between the quotes of a string. */
export function textBytes(span: Span): number {
  return Math.max(0, span.end - span.start - 2);
}

/** The value of a short JSON string; undefined for anything else. */
export function shortText(body: RequestBody, span: Span | undefined): string | undefined {
  if (span === undefined || !isText(body, span) || span.end - span.start > SHORT_BYTES) return undefined;
  const inner = Buffer.from(body.bytes.buffer, body.bytes.byteOffset + span.start + 1, textBytes(span)).toString("utf8");
  if (!inner.includes("\\")) return inner;
  const value = body.read(span);
  return typeof value === "string" ? value : undefined;
}
