/** Equality of JSON values, and what the comparisons share. */

import type { Json } from "../../../sdk/body.ts";
import { isPlain } from "./view-plain.ts";

const { isArray } = Array;
const { getPrototypeOf, ownKeys } = Reflect;
const { freeze, hasOwn, keys } = Object;
const arrayPrototype: object = Array.prototype;

/** Stands where an element or field was never read. It never gets out: only the targets of lazy proxies hold it. */
export const UNREAD: object = freeze({ __proto__: null });

/** Members by name. Without a prototype, so that `__proto__` is a name like any other. */
export type Members<Value> = { [key: string]: Value };

export function createMembers<Value>(): Members<Value> {
  return { __proto__: null } as unknown as Members<Value>;
}

/** The elements of an array as they were, as far as they were ever read. */
export interface OldElements {
  readonly length: number;
  /** Undefined when the text of this one is not there. */
  value(index: number): Json | undefined;
  /** Which element this very object was at first; -1 when none, or when it cannot be said. */
  indexOf(value: unknown): number;
}

/**
 * Whether both would be written as the same JSON, the order of keys aside. False when `after` holds anything
 * that is no JSON: a closer look then finds what it is.
 */
export function isSame(before: Json, after: unknown): boolean {
  if (before === after) return true;
  if (typeof before !== "object" || typeof after !== "object" || before === null || after === null) return false;
  if (isArray(before)) {
    if (!isArray(after) || before.length !== after.length || getPrototypeOf(after) !== arrayPrototype) return false;
    for (let at = 0; at < before.length; at++) if (!isSame(before[at], after[at])) return false;
    return true;
  }
  if (isArray(after) || !isPlain(after) || !isObject(before)) return false;
  const keysBefore = keys(before);
  const keysAfter = ownKeys(after);
  if (keysBefore.length !== keysAfter.length) return false;
  for (let at = 0; at < keysBefore.length; at++) {
    const key = keysBefore[at]!;
    if (key !== keysAfter[at] && !hasOwn(after, key)) return false;
    if (!isSame(before[key]!, (after as Members<unknown>)[key])) return false;
  }
  return true;
}

export function isObject(value: Json): value is { readonly [key: string]: Json } {
  return typeof value === "object" && value !== null && !isArray(value);
}
