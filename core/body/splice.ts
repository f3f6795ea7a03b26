/** Sets top-level fields by replacing their bytes, and moves the index along instead of scanning again. */

import type { Change, Span } from "../../sdk/body.ts";
import type { BodyIndex, FieldTable } from "./scan.ts";
import { createMover, moveJumps, ropeOf, spliceSpan, writeRope, type Mover, type Splice } from "./splices.ts";

export interface SplicedBody {
  readonly bytes: Buffer;
  readonly index: BodyIndex;
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
      if (json.compare(bytes, start, end) !== 0) splices.push({ start, end, content: ropeOf(json) });
    }
  }
  if (splices.length === 0 && absent.size === 0) return undefined;

  splices.sort((one, other) => one.start - other.start);
  const insertion = absent.size === 0 ? undefined : insertFront(index, absent);
  if (insertion !== undefined) splices.unshift(insertion);
  return {
    bytes: writeRope(bytes, spliceSpan({ start: 0, end: bytes.length }, splices)),
    index: moveIndex(index, splices, insertion),
  };
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
  return { start, end: start, content: ropeOf(Buffer.concat(pieces)), values };
}

function moveIndex(index: BodyIndex, splices: readonly Splice[], insertion: Insertion | undefined): BodyIndex {
  const mover = createMover(splices);
  return {
    open: index.open,
    close: mover.end(index.close),
    fields: moveFields(index.fields, mover, insertion?.values ?? new Map()),
    jumps: moveJumps(index.jumps, splices, mover),
  };
}

function moveFields(fields: FieldTable, mover: Mover, inserted: ReadonlyMap<string, Span>): FieldTable {
  const starts = fields.starts.map((start) => mover.start(start));
  const ends = fields.ends.map((end) => mover.end(end));
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
