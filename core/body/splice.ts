/** Sets top-level fields by replacing their bytes, and moves the index along instead of scanning again. */

import type { Change, Span } from "../../sdk/body.ts";
import type { Jumps } from "./jumps.ts";
import type { BodyIndex, FieldTable } from "./scan.ts";

export interface SplicedBody {
  readonly bytes: Buffer;
  readonly index: BodyIndex;
}

/** A replacement; an insertion where start and end are equal. */
interface Splice extends Span {
  readonly bytes: Buffer;
}

/** Fields that are put in front of all others, with the offsets of their values in the new body. */
interface Insertion extends Splice {
  readonly values: ReadonlyMap<string, Span>;
}

/**
 * Sets top-level fields; of two changes to one field the later counts.
 *
 * @returns undefined when every field already holds exactly these bytes
 */
export function spliceFields(bytes: Buffer, index: BodyIndex, changes: readonly Change[]): SplicedBody | undefined {
  const splices: Splice[] = [];
  const absent = new Map<string, Buffer>();
  for (const [name, value] of new Map(changes.map((change) => [change.field, change.value]))) {
    const json = Buffer.from(JSON.stringify(value));
    const { starts, ends, previous, last } = index.fields;
    let number = last.get(name);
    if (number === undefined) absent.set(name, json);
    for (; number !== undefined && number >= 0; number = previous[number]) {
      const start = starts[number]!;
      const end = ends[number]!;
      if (json.compare(bytes, start, end) !== 0) splices.push({ start, end, bytes: json });
    }
  }
  if (splices.length === 0 && absent.size === 0) return undefined;

  splices.sort((one, other) => one.start - other.start);
  const insertion = absent.size === 0 ? undefined : insertFront(index, absent);
  if (insertion !== undefined) splices.unshift(insertion);
  return { bytes: copyWith(bytes, splices), index: moveIndex(index, splices, insertion) };
}

function insertFront(index: BodyIndex, absent: ReadonlyMap<string, Buffer>): Insertion {
  const start = index.open + 1;
  const pieces: Buffer[] = [];
  const values = new Map<string, Span>();
  let at = start;
  for (const [name, json] of absent) {
    const key = Buffer.from(`${pieces.length === 0 ? "" : ","}${JSON.stringify(name)}:`);
    values.set(name, { start: at + key.length, end: at + key.length + json.length });
    at += key.length + json.length;
    pieces.push(key, json);
  }
  if (index.fields.starts.length > 0) pieces.push(Buffer.from(","));
  return { start, end: start, bytes: Buffer.concat(pieces), values };
}

function copyWith(bytes: Buffer, splices: readonly Splice[]): Buffer {
  const grown = splices.reduce((sum, splice) => sum + growth(splice), 0);
  const copy = Buffer.allocUnsafe(bytes.length + grown);
  let from = 0;
  let to = 0;
  for (const splice of splices) {
    to += bytes.copy(copy, to, from, splice.start);
    to += splice.bytes.copy(copy, to);
    from = splice.end;
  }
  bytes.copy(copy, to, from);
  return copy;
}

function moveIndex(index: BodyIndex, splices: readonly Splice[], insertion: Insertion | undefined): BodyIndex {
  /** What is added to an offset that has so many splices before it. */
  const shifts = [0];
  for (const splice of splices) shifts.push(shifts.at(-1)! + growth(splice));
  const move = (offset: number): number => offset + shifts[countBefore(splices, offset)]!;
  return {
    open: index.open,
    close: move(index.close),
    fields: moveFields(index.fields, move, insertion?.values ?? new Map()),
    jumps: moveJumps(index.jumps, move, splices),
  };
}

function moveFields(fields: FieldTable, move: (offset: number) => number, inserted: ReadonlyMap<string, Span>): FieldTable {
  const starts = fields.starts.map((start) => move(start));
  const ends = fields.ends.map((end) => move(end));
  if (inserted.size === 0) return { ...fields, starts, ends };
  const previous = [...fields.previous];
  const last = new Map(fields.last);
  for (const [name, value] of inserted) {
    last.set(name, starts.length);
    starts.push(value.start);
    ends.push(value.end);
    previous.push(-1);
  }
  return { starts, ends, previous, last };
}

/** Jumps inside replaced values are dropped. New values have none: a walk reads them byte by byte. */
function moveJumps(jumps: Jumps, move: (offset: number) => number, splices: readonly Splice[]): Jumps {
  const moved = new Int32Array(jumps.length);
  let length = 0;
  for (let pair = 0; pair < jumps.length; pair += 2) {
    const start = jumps[pair]!;
    const next = splices[countBefore(splices, start)];
    if (next !== undefined && next.start <= start) continue;
    moved[length++] = move(start);
    moved[length++] = move(jumps[pair + 1]!);
  }
  return moved.subarray(0, length);
}

/** How many splices end at or before an offset of the old body. */
function countBefore(splices: readonly Splice[], offset: number): number {
  let low = 0;
  let high = splices.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (splices[middle]!.end <= offset) low = middle + 1;
    else high = middle;
  }
  return low;
}

function growth(splice: Splice): number {
  return splice.bytes.length - (splice.end - splice.start);
}
