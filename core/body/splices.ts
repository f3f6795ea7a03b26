/** Replaces stretches of bytes, and moves along what is known about the bytes in between. */

import type { Span } from "../../sdk/body.ts";
import type { Jumps } from "./jumps.ts";

/** A replacement; an insertion where start and end are equal, a removal where the content is empty. */
export interface Splice extends Span {
  readonly content: Rope;
}

/** Bytes to be written: new ones, and stretches of the old body. */
export interface Rope {
  readonly bytes: number;
  readonly pieces: readonly (Buffer | Span | Rope)[];
}

export function ropeOf(bytes: Buffer): Rope {
  return { bytes: bytes.length, pieces: [bytes] };
}

export function joinRopes(ropes: readonly Rope[]): Rope {
  return { bytes: ropes.reduce((sum, rope) => sum + rope.bytes, 0), pieces: ropes };
}

/** A stretch of the old body with these splices, which lie in order within it. */
export function spliceSpan(span: Span, splices: readonly Splice[]): Rope {
  const pieces: (Span | Rope)[] = [];
  let from = span.start;
  let bytes = span.end - span.start;
  for (const splice of splices) {
    pieces.push({ start: from, end: splice.start }, splice.content);
    from = splice.end;
    bytes += growth(splice);
  }
  pieces.push({ start: from, end: span.end });
  return { bytes, pieces };
}

/** Writes a rope out. */
export function writeRope(source: Buffer, rope: Rope): Buffer {
  const target = Buffer.allocUnsafe(rope.bytes);
  copyRope(source, rope, target, 0);
  return target;
}

/** @returns offset behind what was written */
function copyRope(source: Buffer, rope: Rope, target: Buffer, offset: number): number {
  let to = offset;
  for (const piece of rope.pieces) {
    if (Buffer.isBuffer(piece)) to += piece.copy(target, to);
    else if ("pieces" in piece) to = copyRope(source, piece, target, to);
    else to += source.copy(target, to, piece.start, piece.end);
  }
  return to;
}

/** Tells where offsets of the old body stand in the new one. */
export interface Mover {
  /** Of a byte that begins something; what is inserted there goes before it. */
  start(offset: number): number;
  /** Behind the last byte of something; what is inserted there does not belong to it. */
  end(offset: number): number;
}

/** @param splices in order, none over another */
export function createMover(splices: readonly Splice[]): Mover {
  /** What is added to an offset that has so many splices before it. */
  const shifts = [0];
  for (const splice of splices) shifts.push(shifts.at(-1)! + growth(splice));
  return {
    start: (offset) => offset + shifts[countEnded(splices, offset)]!,
    end: (offset) => offset + shifts[countBegun(splices, offset)]!,
  };
}

/** Jumps inside replaced values are dropped. New values have none: a walk reads them byte by byte. */
export function moveJumps(jumps: Jumps, splices: readonly Splice[], mover: Mover): Jumps {
  const moved = new Int32Array(jumps.length);
  let length = 0;
  for (let pair = 0; pair < jumps.length; pair += 2) {
    const start = jumps[pair]!;
    const next = splices[countEnded(splices, start)];
    if (next !== undefined && next.start <= start) continue;
    moved[length++] = mover.start(start);
    moved[length++] = mover.end(jumps[pair + 1]!);
  }
  return moved.subarray(0, length);
}

/** How many splices end at or before an offset of the old body. */
function countEnded(splices: readonly Splice[], offset: number): number {
  let low = 0;
  let high = splices.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (splices[middle]!.end <= offset) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** How many splices begin before an offset of the old body. */
function countBegun(splices: readonly Splice[], offset: number): number {
  let low = 0;
  let high = splices.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (splices[middle]!.start < offset) low = middle + 1;
    else high = middle;
  }
  return low;
}

function growth(splice: Splice): number {
  return splice.content.bytes - (splice.end - splice.start);
}
