/** Finds for each element of an array which of the old ones it is, so that its bytes can stay. */

import { isSame, UNREAD, type OldElements } from "./view-same.ts";

const { isArray } = Array;
const { hasOwn, keys } = Object;
const { Map } = globalThis;

const NONE = -1;
/** Members that two states of one element share: with another value it is another element. */
const IDENTIFYING = ["type", "role", "id", "name", "tool_use_id"];
/** Members in which elements of one list differ. */
const TELLING = [...IDENTIFYING, "text", "content", "input", "signature", "data", "source"];

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
  if (match.sources[at] !== NONE) return false;
  const old = match.before.value(source);
  if (old === undefined || !isSame(old, match.after[at])) return false;
  take(match, at, source);
  return true;
}

/** Elements that were moved or copied: the first unused one that is equal. */
function matchEqual(match: Match): void {
  const { before, after, sources, isUsed } = match;
  let byTraits: Map<string, number[]> | undefined;
  for (let at = 0; at < after.length; at++) {
    if (sources[at] !== NONE) continue;
    byTraits ??= listByTraits(before, isUsed);
    if (byTraits.size === 0) return;
    const places = byTraits.get(traitsOf(after[at], 0));
    if (places === undefined) continue;
    for (let place = 0; place < places.length; place++) {
      if (!takeEqual(match, at, places[place]!)) continue;
      places.splice(place, 1);
      break;
    }
  }
}

function listByTraits(before: OldElements, isUsed: readonly boolean[]): Map<string, number[]> {
  const byTraits = new Map<string, number[]>();
  for (let at = 0; at < before.length; at++) {
    const value = isUsed[at] === true ? undefined : before.value(at);
    if (value === undefined) continue;
    const traits = traitsOf(value, 0);
    const places = byTraits.get(traits);
    if (places === undefined) byTraits.set(traits, [at]);
    else places.push(at);
  }
  return byTraits;
}

/**
 * Equal values have equal traits, and others rarely. The JSON text would do as well, but a value of user code
 * can be made of so many references to itself that no end of writing it comes.
 */
function traitsOf(value: unknown, depth: number): string {
  if (typeof value === "string") return `"${value.length}${value.slice(0, 32)}${value.slice(-16)}`;
  if (typeof value === "number" || typeof value === "boolean") return `${value}`;
  if (typeof value !== "object" || value === null || depth >= 3) return "";
  if (isArray(value)) {
    return value.length === 0 ? "[]" : `[${value.length}${traitsOf(value[0], depth + 1)}${traitsOf(value[value.length - 1], depth + 1)}`;
  }
  const names = keys(value);
  // In whatever order they stand.
  let traits = `{${names.length}`;
  for (const name of TELLING) if (hasOwn(value, name)) traits += traitsOf(Reflect.get(value, name), depth + 1);
  return traits;
}

/** In the gap between two elements that stayed, what stands in the place of an old one is taken to be that one, changed. */
function matchChanged(match: Match): void {
  const { before, after, sources } = match;
  let low = 0;
  for (let at = 0; at < after.length; at++) {
    if (sources[at] !== NONE) {
      low = sources[at]! + 1;
      continue;
    }
    let next = at + 1;
    while (next < after.length && sources[next] === NONE) next++;
    const olds = listUnused(match, low, next < after.length ? sources[next]! : before.length);
    const isSameCount = olds.length === next - at;
    for (let taken = 0; at < next; at++) {
      const source = olds[taken];
      const old = source === undefined ? undefined : before.value(source);
      // With as many as before, each has its own place, whatever it has become.
      const isTaken = old !== undefined && isSameKind(old, after[at]) && (isSameCount || isAlike(old, after[at]));
      if (isTaken) take(match, at, source!);
      if (isTaken || isSameCount) taken++;
    }
    at--;
  }
}

function listUnused({ isUsed }: Match, from: number, to: number): readonly number[] {
  const olds: number[] = [];
  for (let source = from; source < to; source++) if (isUsed[source] !== true) olds.push(source);
  return olds;
}

function isSameKind(old: unknown, value: unknown): boolean {
  if (typeof old !== "object" || typeof value !== "object" || old === null || value === null) return false;
  return isArray(old) === isArray(value);
}

function isAlike(old: unknown, value: unknown): boolean {
  if (isArray(old)) return true;
  for (const key of IDENTIFYING) if (ownValue(old, key) !== ownValue(value, key)) return false;
  return true;
}

function ownValue(object: unknown, key: string): unknown {
  return typeof object === "object" && object !== null && hasOwn(object, key) ? Reflect.get(object, key) : undefined;
}
