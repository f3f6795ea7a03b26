/** Looks into JSON as bytes and replaces stretches of it, so that what nobody touched stays byte for byte. */

/** One member of an object or element of an array, without the whitespace around it. */
export interface Item {
  /** Of the key's opening quote; in an array the same as `start`. */
  readonly keyStart: number;
  /** Key of a member; empty in an array. */
  readonly name: string;
  /** Offsets of the value. */
  readonly start: number;
  readonly end: number;
}

/** A replacement; an insertion where start and end are equal, a removal where the content is empty. */
export interface Splice {
  readonly start: number;
  readonly end: number;
  readonly content: string;
}

const quote = 0x22;
const backslash = 0x5c;
const comma = 0x2c;
const colon = 0x3a;
const openArray = 0x5b;
const closeArray = 0x5d;
const openObject = 0x7b;
const closeObject = 0x7d;

/**
 * What an object or array holds, repeated keys included, in the order written; nothing where the value at this
 * offset is neither, or is broken. Strings are stepped over, never decoded.
 *
 * @param at offset of the value, whitespace before it allowed
 */
export function itemsOf(bytes: Buffer, at: number): readonly Item[] {
  const items: Item[] = [];
  let cursor = skipSpace(bytes, at);
  const isObject = bytes[cursor] === openObject;
  if (!isObject && bytes[cursor] !== openArray) return items;
  cursor = skipSpace(bytes, cursor + 1);
  while (cursor < bytes.length && bytes[cursor] !== closeObject && bytes[cursor] !== closeArray) {
    const keyStart = cursor;
    let name = "";
    if (isObject) {
      const keyEnd = stringEnd(bytes, cursor);
      name = keyOf(bytes, keyStart, keyEnd);
      cursor = skipSpace(bytes, keyEnd);
      if (bytes[cursor] !== colon) return items;
      cursor = skipSpace(bytes, cursor + 1);
    }
    const end = valueEnd(bytes, cursor);
    if (end <= cursor) return items;
    items.push({ keyStart, name, start: cursor, end });
    cursor = skipSpace(bytes, end);
    if (bytes[cursor] === comma) cursor = skipSpace(bytes, cursor + 1);
  }
  return items;
}

/** The last member of a name: the one that counts. */
export function memberOf(items: readonly Item[], name: string): Item | undefined {
  return items.findLast((item) => item.name === name);
}

/** The splices that take items out of their container, commas and all. */
export function removeItems(items: readonly Item[], isDoomed: (item: Item) => boolean): readonly Splice[] {
  const splices: Splice[] = [];
  for (let index = 0; index < items.length; index++) {
    const first = items[index]!;
    if (!isDoomed(first)) continue;
    const before = items[index - 1];
    while (index + 1 < items.length && isDoomed(items[index + 1]!)) index++;
    const last = items[index]!;
    const after = items[index + 1];
    if (after !== undefined) splices.push({ start: first.keyStart, end: after.keyStart, content: "" });
    else splices.push({ start: before?.end ?? first.keyStart, end: last.end, content: "" });
  }
  return splices;
}

/** @param splices none over another, in any order; those at the same offset in theirs */
export function spliceBytes(bytes: Uint8Array, splices: readonly Splice[]): Buffer {
  const pieces: Uint8Array[] = [];
  let from = 0;
  for (const { start, end, content } of [...splices].sort((one, other) => one.start - other.start)) {
    pieces.push(bytes.subarray(from, start), Buffer.from(content));
    from = end;
  }
  pieces.push(bytes.subarray(from));
  return Buffer.concat(pieces);
}

/** A view that shares the bytes. */
export function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function skipSpace(bytes: Buffer, at: number): number {
  let cursor = at;
  for (let byte = bytes[cursor]; byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09; byte = bytes[cursor]) cursor++;
  return cursor;
}

/** @param at offset of the opening quote */
function stringEnd(bytes: Buffer, at: number): number {
  for (let found = bytes.indexOf(quote, at + 1); found >= 0; found = bytes.indexOf(quote, found + 1)) {
    let escapes = 0;
    while (bytes[found - 1 - escapes] === backslash) escapes++;
    if (escapes % 2 === 0) return found + 1;
  }
  return bytes.length;
}

function keyOf(bytes: Buffer, start: number, end: number): string {
  const inner = bytes.toString("utf8", start + 1, end - 1);
  if (!inner.includes("\\")) return inner;
  try {
    return String(JSON.parse(bytes.toString("utf8", start, end)));
  } catch {
    return inner;
  }
}

/** Offset behind the value that starts here; the same offset where none does. */
function valueEnd(bytes: Buffer, start: number): number {
  const first = bytes[start];
  if (first === quote) return stringEnd(bytes, start);
  let depth = 0;
  for (let at = start; at < bytes.length; at++) {
    const byte = bytes[at];
    if (byte === quote) at = stringEnd(bytes, at) - 1;
    else if (byte === openObject || byte === openArray) depth++;
    else if (byte === closeObject || byte === closeArray) {
      if (depth === 0) return trimmed(bytes, start, at);
      depth--;
      if (depth === 0) return at + 1;
    } else if (depth === 0 && byte === comma) return trimmed(bytes, start, at);
  }
  return depth === 0 ? trimmed(bytes, start, bytes.length) : start;
}

function trimmed(bytes: Buffer, start: number, end: number): number {
  let at = end;
  while (at > start && (bytes[at - 1] ?? 0) <= 0x20) at--;
  return at;
}
