/** Compares what user code left with what was there, and says the difference as a patch. */

import type { Json } from "../../../sdk/body.ts";
import type { ArrayPiece, Patch } from "../../body/patch-format.ts";
import { matchElements } from "./view-match.ts";
import { checkMember, isPlain, memberPath, refuse, writeJson } from "./view-plain.ts";
import { createMembers, isObject, isSame, UNREAD, type Members, type OldElements } from "./view-same.ts";

const { isArray } = Array;
const { getPrototypeOf, ownKeys } = Reflect;
const { hasOwn, keys } = Object;
const arrayPrototype: object = Array.prototype;

/**
 * What turns `before` into `after`; undefined when they are equal.
 *
 * @throws TypeError naming the path of what is no JSON
 */
export function diffValues(before: Json, after: unknown, path: string): Patch | undefined {
  if (isSame(before, after)) return undefined;
  if (typeof before === "object" && typeof after === "object" && before !== null && after !== null) {
    if (isArray(before) && isArray(after)) return diffElements(createOldElements(before), after, path);
    if (isObject(before) && !isArray(after)) return diffObjects(before, after, path);
  }
  return { v: writeJson(after, path) };
}

/** @param after read at every index; {@link UNREAD} means the old element of the same index */
export function diffElements(before: OldElements, after: readonly unknown[], path: string): Patch | undefined {
  if (getPrototypeOf(after) !== arrayPrototype) refuse(path, "is an array of a class");
  const read = before.length === after.length ? listUnmoved(before, after) : undefined;
  if (read !== undefined) return diffUnmoved(before, after, read, path);
  const sources = matchElements(before, after);
  const patches: (Patch | undefined)[] = [];
  let isChanged = before.length !== after.length;
  let isInPlace = !isChanged;
  let isKept = false;
  for (let at = 0; at < after.length; at++) {
    const source = sources[at]!;
    const patch = diffElement(before, source, after, at, path);
    patches.push(patch);
    if (patch !== undefined || source !== at) isChanged = true;
    if (source >= 0 && source !== at) isInPlace = false;
    if (source >= 0) isKept = true;
  }
  if (!isChanged) return undefined;
  if (!isKept) return { v: writeJson(after, path) };
  if (!isInPlace) return { a: gatherPieces(sources, patches) };
  const e = createMembers<Patch>();
  for (let at = 0; at < patches.length; at++) {
    const patch = patches[at];
    if (patch !== undefined) e[at] = patch;
  }
  return { e };
}

/** The indexes that were read, when every element stands where it stood. Most lists are like that, and long. */
function listUnmoved(before: OldElements, after: readonly unknown[]): readonly number[] | undefined {
  const read: number[] = [];
  for (let at = 0; at < after.length; at++) {
    const value = after[at];
    if (value === UNREAD) continue;
    if (before.indexOf(value) !== at) return undefined;
    read.push(at);
  }
  return read;
}

function diffUnmoved(before: OldElements, after: readonly unknown[], read: readonly number[], path: string): Patch | undefined {
  const e = createMembers<Patch>();
  let isChanged = false;
  for (const at of read) {
    const patch = diffElement(before, at, after, at, path);
    if (patch === undefined) continue;
    e[at] = patch;
    isChanged = true;
  }
  return isChanged ? { e } : undefined;
}

function diffElement(before: OldElements, source: number, after: readonly unknown[], at: number, path: string): Patch | undefined {
  const value = after[at];
  if (value === UNREAD) return undefined;
  const place = `${path}[${at}]`;
  if (value === undefined) refuse(place, hasOwn(after, at) ? "is undefined" : "is an empty place in a list");
  const old = source < 0 ? undefined : before.value(source);
  return old === undefined ? { v: writeJson(value, place) } : diffValues(old, value, place);
}

function gatherPieces(sources: readonly number[], patches: readonly (Patch | undefined)[]): readonly ArrayPiece[] {
  const pieces: ArrayPiece[] = [];
  let first = -1;
  let last = -1;
  for (let at = 0; at < sources.length; at++) {
    const source = sources[at]!;
    const patch = patches[at];
    if (patch === undefined && first >= 0 && source === last + 1) {
      last = source;
      continue;
    }
    if (first >= 0) pieces.push([first, last]);
    first = -1;
    if (patch === undefined) first = last = source;
    else pieces.push("v" in patch ? patch : [source, patch]);
  }
  if (first >= 0) pieces.push([first, last]);
  return pieces;
}

function diffObjects(before: { readonly [key: string]: Json }, after: object, path: string): Patch | undefined {
  if (!isPlain(after)) return { v: writeJson(after, path) };
  const o = createMembers<Patch | null>();
  let isChanged = false;
  for (const key of ownKeys(after)) {
    if (typeof key === "symbol") refuse(path, "has a member whose key is a symbol");
    const old = hasOwn(before, key) ? before[key] : undefined;
    const value = (after as Members<unknown>)[key];
    if (old === value) continue;
    checkMember(after, key, path);
    if (value === undefined) {
      o[key] = null;
      isChanged = true;
      continue;
    }
    const place = memberPath(path, key);
    const patch = old === undefined ? { v: writeJson(value, place) } : diffValues(old, value, place);
    if (patch === undefined) continue;
    o[key] = patch;
    isChanged = true;
  }
  for (const key of keys(before)) {
    if (hasOwn(after, key)) continue;
    o[key] = null;
    isChanged = true;
  }
  return isChanged ? { o } : undefined;
}

function createOldElements(before: readonly Json[]): OldElements {
  return { length: before.length, value: (index) => before[index], indexOf: () => -1 };
}
