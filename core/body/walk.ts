/** Walks one array or object inside a body that was scanned before. */

import type { Span } from "../../sdk/body.ts";
import { findClosingQuote, type ByteView } from "./byte-view.ts";
import { findJump, type Jumps } from "./jumps.ts";
import {
  CLOSE_ARRAY,
  CLOSE_OBJECT,
  COLON,
  COMMA,
  decodeKey,
  isWhitespace,
  OPEN_ARRAY,
  OPEN_OBJECT,
  QUOTE,
  skipWhitespace,
  structure,
} from "./tokens.ts";

/**
 * Spans of the elements of an array, without the whitespace around them; none when it is no array. A piece
 * between two commas that is no JSON value is an element all the same: reading it is what fails.
 */
export function walkElements(view: ByteView, jumps: Jumps, array: Span): readonly Span[] {
  const spans: Span[] = [];
  const walk = startWalk(view, jumps, array, OPEN_ARRAY);
  if (walk === undefined || view.bytes[walk.at] === CLOSE_ARRAY) return spans;
  do spans.push(takeValue(walk));
  while (takeComma(walk));
  return spans;
}

/**
 * Spans of the values of an object by name, the last one of a repeated name; none when it is no object. A
 * member without a key or a colon is left out.
 */
export function walkMembers(view: ByteView, jumps: Jumps, object: Span): ReadonlyMap<string, Span> {
  const spans = new Map<string, Span>();
  const walk = startWalk(view, jumps, object, OPEN_OBJECT);
  if (walk === undefined) return spans;
  do {
    const name = takeKey(walk);
    const value = takeValue(walk);
    if (name !== undefined) spans.set(name, value);
  } while (takeComma(walk));
  return spans;
}

/** One member of an object, as written. */
export interface Entry extends Span {
  readonly name: string;
  /** Offset of the quote that opens the key; `start` and `end` are those of the value. */
  readonly keyStart: number;
}

/**
 * All members of an object in the order they are written, repeated names included. Undefined when it is no
 * object, or one whose keys, colons and commas are not as they should be.
 */
export function walkEntries(view: ByteView, jumps: Jumps, object: Span): readonly Entry[] | undefined {
  const entries: Entry[] = [];
  const walk = startWalk(view, jumps, object, OPEN_OBJECT);
  if (walk === undefined) return undefined;
  if (view.bytes[walk.at] === CLOSE_OBJECT) return entries;
  do {
    const keyStart = walk.at;
    const name = takeKey(walk);
    const { start, end } = takeValue(walk);
    if (name === undefined || start === end) return undefined;
    entries.push({ name, keyStart, start, end });
  } while (takeComma(walk));
  return view.bytes[walk.at] === CLOSE_OBJECT ? entries : undefined;
}

interface Walk {
  readonly view: ByteView;
  readonly jumps: Jumps;
  readonly end: number;
  at: number;
  /** Index of the first jump not yet passed. */
  jump: number;
}

function startWalk(view: ByteView, jumps: Jumps, span: Span, bracket: number): Walk | undefined {
  const start = skipWhitespace(view.bytes, span.start);
  if (view.bytes[start] !== bracket) return undefined;
  const at = skipWhitespace(view.bytes, start + 1);
  return { view, jumps, end: Math.min(span.end, view.bytes.length), at, jump: findJump(jumps, at) };
}

/** Moves over a key and its colon. Undefined, and not moved, when there is none. */
function takeKey(walk: Walk): string | undefined {
  const { bytes } = walk.view;
  if (bytes[walk.at] !== QUOTE) return undefined;
  const end = findEnd(walk, walk.at);
  const colon = skipWhitespace(bytes, end);
  if (bytes[colon] !== COLON) return undefined;
  const name = decodeKey(bytes, walk.at, end);
  walk.at = skipWhitespace(bytes, colon + 1);
  return name;
}

/** Moves to the next comma or closing bracket of this level. */
function takeValue(walk: Walk): Span {
  const { bytes } = walk.view;
  const start = walk.at;
  let end = start;
  let at = start;
  while (at < walk.end) {
    const byte = bytes[at]!;
    if (byte === COMMA || byte === CLOSE_ARRAY || byte === CLOSE_OBJECT) break;
    if (byte === QUOTE || byte === OPEN_ARRAY || byte === OPEN_OBJECT) end = at = findEnd(walk, at);
    else if (isWhitespace(byte)) at++;
    else end = ++at;
  }
  walk.at = at;
  return { start, end };
}

function takeComma(walk: Walk): boolean {
  const { bytes } = walk.view;
  if (walk.at >= walk.end || bytes[walk.at] !== COMMA) return false;
  walk.at = skipWhitespace(bytes, walk.at + 1);
  return true;
}

/** Offset behind the string or container that starts at `start`. */
function findEnd(walk: Walk, start: number): number {
  const { view, jumps, end } = walk;
  while (jumps[walk.jump]! < start) walk.jump += 2;
  if (jumps[walk.jump] === start) return jumps[walk.jump + 1]!;
  // Too short to be remembered, or put there by an edit.
  let depth = 0;
  const kinds = structure;
  for (let at = start; at < end; at++) {
    const kind = kinds[view.bytes[at]!]!;
    if (kind === 0) continue;
    if (kind === 1) {
      const quote = findClosingQuote(view, at + 1);
      if (quote < 0) return end;
      at = quote;
    } else if (kind === 2) {
      depth++;
    } else {
      depth--;
    }
    if (depth === 0) return Math.min(at + 1, end);
  }
  return end;
}
