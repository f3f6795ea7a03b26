/** Finds for each element of an array which of the old ones it is, so that its bytes can stay. */

import { isSame, UNREAD, type OldElements } from "./view-same.ts";

const { stringify } = JSON;
const { isArray } = Array;
const { hasOwn } = Object;
const { Map } = globalThis;

const NONE = -1;
/** Members that two states of one element share: with another value it is another element. */
const IDENTIFYING = ["type", "role", "id", "name", "tool_use_id"];

/** The index of the old element for each of the new ones, -1 for one that is new. */
export function matchElements(before: OldElements, after: readonly unknown[]): readonly number[] {
  const sources: number[] = [];
  const isUsed: boolean[] = [];
  for (let at = 0; at < before.length; at++) isUsed.push(false);
  let unmatched = 0;
  for (let at = 0; at < after.length; at++) {
    const value = after[at];
    const source = value === UNREAD ? at : before.indexOf(value);
    sources.push(source);
    if (source >= 0) isUsed[source] = true;
    else unmatched++;
  }
  const match: Match = { before, after, sources, isUsed, unmatched };
  if (match.unmatched > 0) matchEnds(match);
  if (match.unmatched > 0) matchEqual(match);
  if (match.unmatched > 0) matchChanged(match);
  return sources;
}

interface Match {
  readonly before: OldElements;
  readonly after: readonly unknown[];
  readonly sources: number[];
  readonly isUsed: boolean[];
  unmatched: number;
}

function take(match: Match, at: number, source: number): void {
  match.sources[at] = source;
  match.isUsed[source] = true;
  match.unmatched--;
}

/** What most edits leave alone: equal elements at the same distance from either end. */
function matchEnds(match: Match): void {
  const { before, after, sources } = match;
  const shorter = Math.min(before.length, after.length);
  let front = 0;
  while (front < shorter && (sources[front] === front || takeEqual(match, front, front))) front++;
  for (let back = 1; back <= shorter - front; back++) {
    const at = after.length - back;
    const source = before.length - back;
    if (sources[at] !== source && !takeEqual(match, at, source)) break;
  }
}

function takeEqual(match: Match, at: number, source: number): boolean {
  if (match.sources[at] !== NONE || match.isUsed[source] === true) return false;
  const old = match.before.value(source);
  if (old === undefined || !isSame(old, match.after[at])) return false;
  take(match, at, source);
  return true;
}

/** Elements that were moved: the first unused one of the same text. */
function matchEqual(match: Match): void {
  const { before, after, sources, isUsed } = match;
  let byText: Map<string, number[]> | undefined;
  for (let at = 0; at < after.length; at++) {
    const value = after[at];
    if (sources[at] !== NONE || value === undefined) continue;
    byText ??= listByText(before, isUsed);
    if (byText.size === 0) return;
    const places = byText.get(textOf(value));
    const source = places?.[0];
    // Equal texts are not always equal values: an infinite number is written as null.
    if (places !== undefined && source !== undefined && takeEqual(match, at, source)) places.shift();
  }
}

function listByText(before: OldElements, isUsed: readonly boolean[]): Map<string, number[]> {
  const byText = new Map<string, number[]>();
  for (let at = 0; at < before.length; at++) {
    const value = isUsed[at] === true ? undefined : before.value(at);
    if (value === undefined) continue;
    const text = stringify(value);
    const places = byText.get(text);
    if (places === undefined) byText.set(text, [at]);
    else places.push(at);
  }
  return byText;
}

function textOf(value: unknown): string {
  try {
    return stringify(value) ?? "";
  } catch {
    // Cycles and the like: writing it gives the error that names the path.
    return "";
  }
}

/** In the gap between two elements that stayed, what looks like the old one is taken to be that one, changed. */
function matchChanged(match: Match): void {
  const { before, after, sources, isUsed } = match;
  let low = 0;
  for (let at = 0; at < after.length; at++) {
    if (sources[at] !== NONE) {
      low = sources[at]! + 1;
      continue;
    }
    let next = at + 1;
    while (next < after.length && sources[next] === NONE) next++;
    const high = next < after.length ? sources[next]! : before.length;
    let source = low;
    for (; at < next; at++) {
      while (source < high && isUsed[source] === true) source++;
      const old = source < high ? before.value(source) : undefined;
      if (old !== undefined && isAlike(old, after[at])) take(match, at, source++);
    }
    at--;
  }
}

function isAlike(old: unknown, value: unknown): boolean {
  if (typeof old !== "object" || typeof value !== "object" || old === null || value === null) return false;
  if (isArray(old) || isArray(value)) return isArray(old) && isArray(value);
  for (const key of IDENTIFYING) {
    const one = hasOwn(old, key) ? Reflect.get(old, key) : undefined;
    const other = hasOwn(value, key) ? Reflect.get(value, key) : undefined;
    if (one !== other) return false;
  }
  return true;
}
