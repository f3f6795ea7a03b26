/** What the planning of a patch knows and finds out, and how much it may cost. */

import type { Span } from "../../sdk/body.ts";
import type { ByteView } from "./byte-view.ts";
import type { Jumps } from "./jumps.ts";
import { PatchError } from "./patch-error.ts";
import { readNewValue, type NewValue } from "./patch-shape.ts";
import { spliceSpan, type Rope, type Splice } from "./splices.ts";
import { OPEN_ARRAY, OPEN_OBJECT } from "./tokens.ts";
import { walkElements, walkEntries, type Entry } from "./walk.ts";

/** Paths are for reading; a trace with more of them helps nobody. */
const MOST_PATHS = 1000;

/**
 * About a microsecond each, so that no patch holds up the other requests for long: one may name a big object
 * very often. Redacting every block of a conversation takes a quarter of this.
 */
const MOST_STEPS = 50_000;
const BYTES_PER_STEP = 100;

/** What planning needs to know, and what it has found out. */
export interface Plan {
  readonly view: ByteView;
  readonly jumps: Jumps;
  readonly largestBytes: number;
  /** Paths of what changes, of the old document. */
  readonly changed: Set<string>;
  /** Walked containers by their first byte: a patch may refer to one very often. */
  readonly entries: Map<number, Entries>;
  readonly elements: Map<number, readonly Span[]>;
  stepsLeft: number;
}

/** The members of an object, in order and by name. */
export interface Entries {
  readonly list: readonly Entry[];
  readonly byName: ReadonlyMap<string, readonly Entry[]>;
}

export function createPlan(view: ByteView, jumps: Jumps, largestBytes: number): Plan {
  const stepsLeft = MOST_STEPS + view.bytes.length / BYTES_PER_STEP;
  return { view, jumps, largestBytes, changed: new Set(), entries: new Map(), elements: new Map(), stepsLeft };
}

/** A value together with the splices in it, to be written in another place. */
export function copyOf(plan: Plan, span: Span, splices: readonly Splice[], path: string): Rope {
  return limited(plan, spliceSpan(span, splices), path);
}

/** @throws PatchError before anything is built that is too big to be written */
export function limited(plan: Plan, rope: Rope, path: string): Rope {
  if (rope.bytes > plan.largestBytes) throw new PatchError(path, `the body would have more than ${plan.largestBytes} bytes`);
  return rope;
}

/** @throws PatchError when the patch as a whole costs too much */
export function spend(plan: Plan, steps: number, path: string): void {
  plan.stepsLeft -= steps;
  if (plan.stepsLeft < 0) throw new PatchError(path, "the patch takes too many steps");
}

/** @throws PatchError when the text is not JSON, or too deep */
export function readNew(plan: Plan, text: string, path: string, depth: number): NewValue {
  // Long strings are read fast; a list of a million numbers is not, and nobody can tell before.
  spend(plan, 1 + text.length / (text.startsWith('"') ? 1024 : 32), path);
  return readNewValue(text, path, depth);
}

export function noteChange(plan: Plan, path: string): void {
  if (plan.changed.size < MOST_PATHS) plan.changed.add(path);
}

/** @throws PatchError when the span is no array */
export function elementsOf(plan: Plan, span: Span, path: string): readonly Span[] {
  const known = plan.elements.get(span.start);
  if (known !== undefined) return known;
  if (plan.view.bytes[span.start] !== OPEN_ARRAY) throw new PatchError(path, "it is no list");
  const elements = walkElements(plan.view, plan.jumps, span);
  if (elements.some((element) => element.start === element.end)) throw new PatchError(path, "it is not valid JSON");
  plan.elements.set(span.start, elements);
  return elements;
}

/** @throws PatchError when the span is no object */
export function entriesOf(plan: Plan, span: Span, path: string): Entries {
  const known = plan.entries.get(span.start);
  if (known !== undefined) return known;
  if (plan.view.bytes[span.start] !== OPEN_OBJECT) throw new PatchError(path, "it is no object");
  const list = walkEntries(plan.view, plan.jumps, span);
  if (list === undefined) throw new PatchError(path, "it is not valid JSON");
  const byName = new Map<string, Entry[]>();
  for (const entry of list) {
    const same = byName.get(entry.name);
    if (same === undefined) byName.set(entry.name, [entry]);
    else same.push(entry);
  }
  const entries = { list, byName };
  plan.entries.set(span.start, entries);
  return entries;
}
