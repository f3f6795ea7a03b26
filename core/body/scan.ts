/** One pass over a request body: where the top-level fields stand, and where to jump when walking deeper. */

import { ProxyError } from "../../sdk/errors.ts";
import type { Span } from "../../sdk/body.ts";
import { findClosingQuote, type ByteView } from "./byte-view.ts";
import { JumpRecorder, type Jumps } from "./jumps.ts";
import {
  CLOSE_OBJECT,
  COLON,
  COMMA,
  decodeKey,
  findLiteralEnd,
  invalidBody,
  OPEN_ARRAY,
  OPEN_OBJECT,
  QUOTE,
  skipWhitespace,
  structure,
} from "./tokens.ts";
import { walkEntries } from "./walk.ts";

/** Where things stand in one body. Offsets count from its first byte. */
export interface BodyIndex {
  /** Offset of the brace that opens the object. */
  readonly open: number;
  /** Offset behind the brace that closes it. */
  readonly close: number;
  readonly fields: FieldTable;
  readonly jumps: Jumps;
}

/** Top-level fields by number. Flat: it is made for every request. */
export interface FieldTable {
  /** Offsets of the values. */
  readonly starts: readonly number[];
  readonly ends: readonly number[];
  /** Number of the earlier field of the same name, -1 when there is none. */
  readonly previous: readonly number[];
  /** Name → number of its last field: the one that counts. */
  readonly last: ReadonlyMap<string, number>;
}

/**
 * Real requests have a dozen. A body that is nothing but keys would cost seconds and a hundred times its
 * size in memory.
 */
const mostFields = 10_000;

/**
 * Reads a body without parsing it. The structure of the top level is checked, brackets and strings must
 * balance throughout; what else is wrong inside a value is left for the upstream to judge. A UTF-8 byte
 * order mark is stepped over: it goes upstream like every other byte.
 *
 * @throws ProxyError `invalid_request_error` naming the byte offset when this is not one JSON object
 */
export function scanBody(view: ByteView): BodyIndex {
  const { bytes } = view;
  const jumps = new JumpRecorder(bytes.length);
  const starts: number[] = [];
  const ends: number[] = [];
  const previous: number[] = [];
  const last = new Map<string, number>();

  const open = skipWhitespace(bytes, startsWithByteOrderMark(bytes) ? 3 : 0);
  if (bytes[open] !== OPEN_OBJECT) throw invalidBody(bytes, open, "`{`");
  let at = skipWhitespace(bytes, open + 1);
  if (bytes[at] !== CLOSE_OBJECT) {
    for (;;) {
      if (bytes[at] !== QUOTE)
        throw invalidBody(bytes, at, starts.length === 0 ? "a key in double quotes or `}`" : "a key in double quotes");
      const keyEnd = findStringEnd(view, at);
      const name = decodeKey(bytes, at, keyEnd);
      if (name === undefined) throw invalidBody(bytes, at, "a key that is a valid JSON string");
      at = skipWhitespace(bytes, keyEnd);
      if (bytes[at] !== COLON) throw invalidBody(bytes, at, "`:` after the key");
      at = skipWhitespace(bytes, at + 1);
      if (starts.length >= mostFields) throw tooManyFields();
      previous.push(last.get(name) ?? -1);
      last.set(name, starts.length);
      starts.push(at);
      at = findValueEnd(view, at, jumps);
      ends.push(at);
      at = skipWhitespace(bytes, at);
      if (bytes[at] === CLOSE_OBJECT) break;
      if (bytes[at] !== COMMA) throw invalidBody(bytes, at, "`,` or `}` after the value");
      at = skipWhitespace(bytes, at + 1);
    }
  }
  const close = at + 1;
  const rest = skipWhitespace(bytes, close);
  if (rest !== bytes.length) throw invalidBody(bytes, rest, "nothing after the object");
  return { open, close, fields: { starts, ends, previous, last }, jumps: jumps.finish() };
}

/** The table of fields of a body whose inside was scanned before; an empty one when it is no object. */
export function indexFields(view: ByteView, jumps: Jumps, object: Span): FieldTable {
  const starts: number[] = [];
  const ends: number[] = [];
  const previous: number[] = [];
  const last = new Map<string, number>();
  for (const { name, start, end } of walkEntries(view, jumps, object) ?? []) {
    previous.push(last.get(name) ?? -1);
    last.set(name, starts.length);
    starts.push(start);
    ends.push(end);
  }
  return { starts, ends, previous, last };
}

function tooManyFields(): ProxyError {
  const message = `The request body has more than ${mostFields} top-level fields.`;
  return new ProxyError(message, { status: 400, kind: "invalid_request_error" });
}

function startsWithByteOrderMark(bytes: Uint8Array): boolean {
  return bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf;
}

function findStringEnd(view: ByteView, start: number): number {
  const quote = findClosingQuote(view, start + 1);
  if (quote < 0) throw unclosedString(view.bytes, start);
  return quote + 1;
}

function unclosedString(bytes: Uint8Array, start: number): ProxyError {
  return invalidBody(bytes, bytes.length, `\`"\` to close the string opened at byte ${start}`);
}

function findValueEnd(view: ByteView, start: number, jumps: JumpRecorder): number {
  const { bytes } = view;
  const first = bytes[start];
  if (first === OPEN_OBJECT || first === OPEN_ARRAY) return findContainerEnd(view, start, jumps);
  if (first === QUOTE) {
    const end = findStringEnd(view, start);
    jumps.string(start, end);
    return end;
  }
  const end = findLiteralEnd(bytes, start);
  if (end === undefined) throw invalidBody(bytes, start, "a JSON value");
  return end;
}

function findContainerEnd(view: ByteView, start: number, jumps: JumpRecorder): number {
  const { bytes } = view;
  const { length } = bytes;
  const kinds = structure;
  for (let at = start; at < length; at++) {
    // A loop of its own: one with calls in it runs at a third of the speed.
    while (at < length && kinds[bytes[at]!] === 0) at++;
    if (at >= length) break;
    const kind = kinds[bytes[at]!];
    if (kind === 1) {
      const quote = findClosingQuote(view, at + 1);
      if (quote < 0) throw unclosedString(bytes, at);
      jumps.string(at, quote + 1);
      at = quote;
    } else if (kind === 2) {
      jumps.open(at);
    } else {
      // In ASCII the closing bracket stands two behind its opening one, for both kinds.
      if (bytes[jumps.openedAt] !== bytes[at]! - 2) throw invalidBody(bytes, at, closerOf(bytes, jumps.openedAt));
      if (jumps.close(at + 1)) return at + 1;
    }
  }
  throw invalidBody(bytes, length, closerOf(bytes, jumps.openedAt));
}

function closerOf(bytes: Uint8Array, openedAt: number): string {
  const [open, close] = bytes[openedAt] === OPEN_ARRAY ? ["[", "]"] : ["{", "}"];
  return `\`${close}\` to close the \`${open}\` opened at byte ${openedAt}`;
}
