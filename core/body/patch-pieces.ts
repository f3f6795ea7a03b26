/** Puts an array together anew: old elements stay where they are as far as their order allows it. */

import type { Span } from "../../sdk/body.ts";
import { PatchError } from "./patch-error.ts";
import { copyOf, elementsOf, limited, noteChange, readNew, spend, type Plan } from "./patch-plan.ts";
import type { PieceLevel } from "./patch-shape.ts";
import { joinRopes, ropeOf, type Rope, type Splice } from "./splices.ts";

type PlanElement = (plan: Plan, span: Span, patch: unknown, path: string, depth: number) => readonly Splice[];

/** @param planElement plans the changes within an old element */
export function planPieces(
  plan: Plan,
  span: Span,
  pieces: readonly PieceLevel[],
  path: string,
  depth: number,
  planElement: PlanElement,
): readonly Splice[] {
  spend(plan, pieces.length, path);
  const elements = elementsOf(plan, span, path);
  const state: Assembly = { plan, span, elements, path, splices: [], waiting: [], lastKept: -1, isReordered: false };
  for (const piece of pieces) {
    if (piece.type === "new") {
      state.waiting.push(ropeOf(readNew(plan, piece.text, path, depth + 1).bytes));
    } else if (piece.type === "changed") {
      const { index } = piece;
      const place = `${path}[${index}]`;
      const element = elementAt(state, index);
      const splices = planElement(plan, element, piece.patch, place, depth + 1);
      if (index > state.lastKept) {
        keep(state, index, index);
        for (const splice of splices) state.splices.push(splice);
      } else {
        state.waiting.push(copyOf(plan, element, splices, place));
      }
    } else {
      const { start } = elementAt(state, piece.first);
      const { end } = elementAt(state, piece.last);
      if (piece.first > state.lastKept) keep(state, piece.first, piece.last);
      else state.waiting.push(copyOf(plan, { start, end }, [], path));
    }
  }
  fillGap(state, elements.length);
  if (state.isReordered) noteChange(plan, path);
  return state.splices;
}

interface Assembly {
  readonly plan: Plan;
  readonly span: Span;
  readonly elements: readonly Span[];
  readonly path: string;
  readonly splices: Splice[];
  /** What comes behind the last element kept in its place. */
  waiting: Rope[];
  /** Index of that element; -1 before the first. */
  lastKept: number;
  isReordered: boolean;
}

function elementAt(state: Assembly, index: number): Span {
  const element = state.elements[index];
  if (element === undefined) throw new PatchError(`${state.path}[${index}]`, `the list has ${state.elements.length} elements`);
  return element;
}

function keep(state: Assembly, first: number, last: number): void {
  fillGap(state, first);
  state.lastKept = last;
}

/** Writes what waits between the last element that was kept and the next one, in place of what stood there. */
function fillGap(state: Assembly, next: number): void {
  const { plan, span, elements, path, waiting, lastKept } = state;
  if (waiting.length === 0 && next === lastKept + 1) return;
  state.isReordered = true;
  state.waiting = [];
  const comma = ropeOf(Buffer.from(","));
  const list = waiting.flatMap((rope, at) => (at > 0 ? [comma, rope] : [rope]));
  const before = elements[lastKept];
  const after = elements[next];
  if (before !== undefined) {
    const content = limited(plan, joinRopes(list.length > 0 ? [comma, ...list] : []), path);
    state.splices.push({ start: before.end, end: elements[next - 1]!.end, content });
  } else if (after !== undefined) {
    const content = limited(plan, joinRopes(list.length > 0 ? [...list, comma] : []), path);
    state.splices.push({ start: elements[0]!.start, end: after.start, content });
  } else {
    const start = elements[0]?.start ?? span.start + 1;
    state.splices.push({ start, end: elements.at(-1)?.end ?? start, content: limited(plan, joinRopes(list), path) });
  }
}
