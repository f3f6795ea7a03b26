/** Says what a patch changes in words short enough to read: for `ccproxy explain`. */

import type { RequestBody, Span } from "../../sdk/body.ts";
import { memberPath, PatchError } from "./patch-error.ts";
import type { Patch } from "./patch-format.ts";
import { createPlan, elementsOf, entriesOf, type Plan } from "./patch-plan.ts";
import { DEEPEST_JSON, readPatchLevel, type PieceLevel } from "./patch-shape.ts";
import { lookInside } from "./request-body.ts";

export interface DescribedChange {
  /** In the old document; for what is new, in the new one. */
  readonly path: string;
  /** At most 200 characters of JSON text around the first difference; empty for what was not there. */
  readonly before: string;
  /** Empty for what was removed. */
  readonly after: string;
}

const LONGEST_EXCERPT = 200;
/** Of what is equal before the first difference. */
const LONGEST_CONTEXT = 40;
const MOST_CHANGES = 200;

/**
 * What a patch changes, at most 200 places. The excerpts are text of the request: they are for the user's eyes.
 *
 * @throws PatchError when the patch does not fit the body
 */
export function describeChanges(before: RequestBody, patch: Patch): readonly DescribedChange[] {
  const { view, index } = lookInside(before);
  const description: Description = { plan: createPlan(view, index.jumps, Number.POSITIVE_INFINITY), changes: [] };
  describeValue(description, { start: index.open, end: index.close }, patch, "", 0);
  return description.changes;
}

interface Description {
  readonly plan: Plan;
  readonly changes: DescribedChange[];
}

function describeValue(description: Description, span: Span, patch: unknown, path: string, depth: number): void {
  if (depth > DEEPEST_JSON) throw new PatchError(path, `it goes deeper than ${DEEPEST_JSON} levels`);
  const { plan } = description;
  const level = readPatchLevel(patch, path, plan.stepsLeft);
  if (level.type === "value") {
    note(description, path, textOf(plan, span), level.text);
  } else if (level.type === "object") {
    const { byName } = entriesOf(plan, span, path);
    for (const [key, member] of level.members) {
      const place = memberPath(path, key);
      const present = byName.get(key)?.at(-1);
      if (present === undefined) note(description, place, "", newText(member, place));
      else if (member === null) note(description, place, textOf(plan, present), "");
      else describeValue(description, present, member, place, depth + 1);
    }
  } else if (level.type === "elements") {
    const elements = elementsOf(plan, span, path);
    for (const [index, element] of level.elements) {
      describeValue(description, elementAt(elements, index, path), element, `${path}[${index}]`, depth + 1);
    }
  } else {
    describePieces(description, elementsOf(plan, span, path), level.pieces, path, depth);
  }
}

function describePieces(
  description: Description,
  elements: readonly Span[],
  pieces: readonly PieceLevel[],
  path: string,
  depth: number,
): void {
  const kept = new Set<number>();
  let next = 0;
  let last = -1;
  let isReordered = false;
  for (const piece of pieces) {
    if (piece.type === "new") {
      note(description, `${path}[${next++}]`, "", piece.text);
      continue;
    }
    const [first, final] = piece.type === "old" ? [piece.first, piece.last] : [piece.index, piece.index];
    elementAt(elements, final, path);
    if (first <= last) isReordered = true;
    last = final;
    next += final - first + 1;
    for (let index = first; index <= final; index++) kept.add(index);
    if (piece.type === "changed") {
      describeValue(description, elementAt(elements, first, path), piece.patch, `${path}[${first}]`, depth + 1);
    }
  }
  for (const [index, element] of elements.entries()) {
    if (!kept.has(index)) note(description, `${path}[${index}]`, textOf(description.plan, element), "");
  }
  if (isReordered) note(description, path, orderOf([{ type: "old", first: 0, last: elements.length - 1 }]), orderOf(pieces));
}

/** The order of the old elements: `0-3, new, 5`. */
function orderOf(pieces: readonly PieceLevel[]): string {
  const names = pieces.slice(0, LONGEST_EXCERPT).map((piece) => {
    if (piece.type === "new") return "new";
    if (piece.type === "changed") return `${piece.index}`;
    return piece.first === piece.last ? `${piece.first}` : `${piece.first}-${piece.last}`;
  });
  return `order: ${names.join(", ")}`;
}

function elementAt(elements: readonly Span[], index: number, path: string): Span {
  const element = elements[index];
  if (element === undefined) throw new PatchError(`${path}[${index}]`, `the list has ${elements.length} elements`);
  return element;
}

function newText(patch: unknown, path: string): string {
  if (patch === null) return "";
  const level = readPatchLevel(patch, path, 0);
  if (level.type !== "value") throw new PatchError(path, "it is not there");
  return level.text;
}

function textOf({ view }: Plan, span: Span): string {
  return view.bytes.toString("utf8", span.start, span.end);
}

function note(description: Description, path: string, before: string, after: string): void {
  if (before === after || description.changes.length >= MOST_CHANGES) return;
  const shorter = Math.min(before.length, after.length);
  let same = 0;
  while (same < shorter && before[same] === after[same]) same++;
  const from = same <= LONGEST_CONTEXT ? 0 : same - LONGEST_CONTEXT;
  description.changes.push({ path, before: excerpt(before, from), after: excerpt(after, from) });
}

function excerpt(text: string, from: number): string {
  const head = from > 0 ? "…" : "";
  const room = LONGEST_EXCERPT - head.length;
  const rest = text.slice(from);
  return rest.length <= room ? head + rest : `${head}${rest.slice(0, room - 1)}…`;
}
