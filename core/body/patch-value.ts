/** Finds the stretches of a body that a patch changes. Nothing is written before the whole patch was found to be good. */

import { isDeepStrictEqual } from "node:util";
import type { Span } from "../../sdk/body.ts";
import { memberPath, PatchError } from "./patch-error.ts";
import { planPieces } from "./patch-pieces.ts";
import { copyOf, elementsOf, entriesOf, limited, noteChange, readNew, spend, type Plan } from "./patch-plan.ts";
import { DEEPEST_JSON, readPatchLevel, type ElementsLevel, type NewValue, type ObjectLevel } from "./patch-shape.ts";
import { joinRopes, ropeOf, type Rope, type Splice } from "./splices.ts";
import type { Entry } from "./walk.ts";

/** Values up to this size that are spelled otherwise but mean the same are left as they are. */
const LARGEST_COMPARED_BYTES = 4096;

/**
 * The splices, in order, that bring one value to what the patch says; none when it is that already.
 *
 * @throws PatchError
 */
export function planValue(plan: Plan, span: Span, patch: unknown, path: string, depth: number): readonly Splice[] {
  if (depth >= DEEPEST_JSON) throw new PatchError(path, `it goes deeper than ${DEEPEST_JSON} levels`);
  spend(plan, 1, path);
  const level = readPatchLevel(patch, path, plan.stepsLeft);
  if (level.type === "value") return replace(plan, span, readNew(plan, level.text, path, depth), path);
  if (level.type === "object") return planObject(plan, span, level.members, path, depth);
  if (level.type === "elements") return planElements(plan, span, level.elements, path, depth);
  return planPieces(plan, span, level.pieces, path, depth, planValue);
}

function replace(plan: Plan, span: Span, { bytes, value }: NewValue, path: string): readonly Splice[] {
  spend(plan, Math.min(span.end - span.start, LARGEST_COMPARED_BYTES) >> 6, path);
  if (isEqual(plan.view.bytes, span, bytes, value)) return [];
  noteChange(plan, path);
  return [{ start: span.start, end: span.end, content: limited(plan, ropeOf(bytes), path) }];
}

function isEqual(source: Buffer, span: Span, bytes: Buffer, value: unknown): boolean {
  if (bytes.compare(source, span.start, span.end) === 0) return true;
  if (span.end - span.start > LARGEST_COMPARED_BYTES) return false;
  try {
    return isDeepStrictEqual(JSON.parse(source.toString("utf8", span.start, span.end)), value);
  } catch {
    return false;
  }
}

function planElements(plan: Plan, span: Span, changes: ElementsLevel["elements"], path: string, depth: number): readonly Splice[] {
  const elements = elementsOf(plan, span, path);
  const splices = changes.map(([index, patch]) => {
    const element = elements[index];
    const place = `${path}[${index}]`;
    if (element === undefined) throw new PatchError(place, `the list has ${elements.length} elements`);
    return planValue(plan, element, patch, place, depth + 1);
  });
  // Whole numbers below 2^32 - 1 are listed in order, but not above.
  return splices.flat().sort((one, other) => one.start - other.start);
}

function planObject(plan: Plan, span: Span, members: ObjectLevel["members"], path: string, depth: number): readonly Splice[] {
  const { list, byName } = entriesOf(plan, span, path);
  spend(plan, members.length, path);
  const splices: Splice[] = [];
  const removed = new Set<Entry>();
  const added: Rope[] = [];
  for (const [key, patch] of members) {
    const place = memberPath(path, key);
    const present = byName.get(key);
    if (patch === null) {
      if (present === undefined) continue;
      for (const entry of present) removed.add(entry);
      noteChange(plan, place);
    } else if (present === undefined) {
      added.push(planAddition(plan, key, patch, place, depth + 1));
    } else {
      for (const splice of planMember(plan, present, patch, place, depth + 1)) splices.push(splice);
    }
  }
  if (removed.size > 0 || added.length > 0) {
    spend(plan, list.length, path);
    for (const splice of planMembership(span, list, removed, added)) splices.push(splice);
    splices.sort((one, other) => one.start - other.start || one.end - other.end);
  } else if (members.length > 1) {
    splices.sort((one, other) => one.start - other.start);
  }
  return splices;
}

/** Of a repeated name the last counts. The others get the same new value: whoever reads the first sees no other. */
function planMember(plan: Plan, present: readonly Entry[], patch: unknown, path: string, depth: number): readonly Splice[] {
  const last = present.at(-1)!;
  if (present.length === 1) return planValue(plan, last, patch, path, depth);
  const level = readPatchLevel(patch, path, plan.stepsLeft);
  if (level.type === "value") {
    const value = readNew(plan, level.text, path, depth);
    return present.flatMap((entry) => replace(plan, entry, value, path));
  }
  const splices = planValue(plan, last, patch, path, depth);
  if (splices.length === 0) return splices;
  const content = copyOf(plan, last, splices, path);
  return [...present.slice(0, -1).map(({ start, end }) => ({ start, end, content })), ...splices];
}

function planAddition(plan: Plan, key: string, patch: unknown, path: string, depth: number): Rope {
  const level = readPatchLevel(patch, path, plan.stepsLeft);
  if (level.type !== "value") throw new PatchError(path, "it is not there");
  const { bytes } = readNew(plan, level.text, path, depth);
  noteChange(plan, path);
  return joinRopes([ropeOf(Buffer.from(`${JSON.stringify(key)}:`)), ropeOf(bytes)]);
}

/** Takes members out with one comma each, and puts new ones behind the last that stays. */
function planMembership(span: Span, entries: readonly Entry[], removed: ReadonlySet<Entry>, added: readonly Rope[]): readonly Splice[] {
  const splices: Splice[] = [];
  let lastKept: Entry | undefined;
  let runStart: Entry | undefined;
  const comma = ropeOf(Buffer.from(","));
  for (const entry of entries) {
    if (removed.has(entry)) {
      runStart ??= entry;
      continue;
    }
    if (runStart !== undefined) splices.push({ start: runStart.keyStart, end: entry.keyStart, content: joinRopes([]) });
    runStart = undefined;
    lastKept = entry;
  }
  const last = entries.at(-1);
  const start = lastKept?.end ?? entries[0]?.keyStart ?? span.start + 1;
  const end = runStart !== undefined && last !== undefined ? last.end : start;
  const list = added.flatMap((member, at) => (at > 0 || lastKept !== undefined ? [comma, member] : [member]));
  if (start !== end || list.length > 0) splices.push({ start, end, content: joinRopes(list) });
  return splices;
}
