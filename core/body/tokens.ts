/** The bytes JSON is built from, and what the walks over a body share: whitespace, keys, lone values. */

import { ProxyError } from "../../sdk/errors.ts";

export const QUOTE = 0x22;
export const COMMA = 0x2c;
export const COLON = 0x3a;
export const OPEN_ARRAY = 0x5b;
export const CLOSE_ARRAY = 0x5d;
export const OPEN_OBJECT = 0x7b;
export const CLOSE_OBJECT = 0x7d;

/**
 * What a byte does to the structure, by its value: 0 nothing, 1 quote, 2 opening bracket, 3 closing bracket.
 * In the loops over every byte one look-up here is several times faster than comparing with constants
 * of a module.
 */
export const structure: Uint8Array = new Uint8Array(256);
structure[QUOTE] = 1;
structure[OPEN_OBJECT] = structure[OPEN_ARRAY] = 2;
structure[CLOSE_OBJECT] = structure[CLOSE_ARRAY] = 3;

/** The same few keys come thousands of times; making a string anew costs more than everything else in a walk. */
const recentKeys: string[] = Array.from({ length: 256 }, () => "");
const LONGEST_RECENT_KEY = 32;

const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

export function isWhitespace(byte: number | undefined): boolean {
  return byte !== undefined && byte <= 0x20 && (byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09);
}

/** Offset of the first byte from `at` on that is no whitespace; `bytes.length` when there is none. */
export function skipWhitespace(bytes: Uint8Array, at: number): number {
  let next = at;
  while (isWhitespace(bytes[next])) next++;
  return next;
}

/**
 * The name a key stands for: `"m\u006fdel"` is `model`.
 *
 * @param start offset of the opening quote
 * @param end   offset behind the closing quote
 * @returns undefined when it is no valid JSON string
 */
export function decodeKey(bytes: Buffer, start: number, end: number): string | undefined {
  let hash = end - start;
  for (let at = start + 1; at < end - 1; at++) {
    const byte = bytes[at]!;
    if (byte < 0x20 || byte > 0x7e || byte === 0x5c) return parseKey(bytes.toString("utf8", start, end));
    hash = (Math.imul(hash, 31) + byte) | 0;
  }
  const slot = hash & (recentKeys.length - 1);
  const recent = recentKeys[slot]!;
  if (spells(recent, bytes, start, end)) return recent;
  const key = bytes.toString("latin1", start + 1, end - 1);
  if (key.length <= LONGEST_RECENT_KEY) recentKeys[slot] = key;
  return key;
}

/** Offset behind a number, `true`, `false` or `null`; undefined when none of them stands at `start`. */
export function findLiteralEnd(bytes: Buffer, start: number): number | undefined {
  let end = start;
  while (end < bytes.length && !endsLiteral(bytes[end]!)) end++;
  const text = bytes.toString("latin1", start, end);
  return text === "true" || text === "false" || text === "null" || NUMBER.test(text) ? end : undefined;
}

/** The refusal of a body that is not one JSON object. It shows one byte at most: the rest may be secret. */
export function invalidBody(bytes: Uint8Array, at: number, wanted: string): ProxyError {
  const message = `The request body is not a JSON object: found ${describe(bytes[at])} at byte ${at}, wanted ${wanted}.`;
  return new ProxyError(message, { status: 400, kind: "invalid_request_error" });
}

function spells(key: string, bytes: Uint8Array, start: number, end: number): boolean {
  if (key.length !== end - start - 2) return false;
  for (let at = 0; at < key.length; at++) {
    if (key.charCodeAt(at) !== bytes[start + 1 + at]) return false;
  }
  return true;
}

function endsLiteral(byte: number): boolean {
  return byte === COMMA || byte === CLOSE_OBJECT || byte === CLOSE_ARRAY || isWhitespace(byte);
}

function parseKey(text: string): string | undefined {
  try {
    return String(JSON.parse(text));
  } catch {
    return undefined;
  }
}

function describe(byte: number | undefined): string {
  if (byte === undefined) return "the end";
  if (byte > 0x20 && byte < 0x7f) return `\`${String.fromCharCode(byte)}\``;
  return `0x${byte.toString(16).padStart(2, "0")}`;
}
