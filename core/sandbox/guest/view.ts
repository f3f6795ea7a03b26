/** What user code gets as a request, a reply or an event: plain data to look at and change, and the patch of its changes. */

import type { Patch } from "../../body/patch-format.ts";
import type { PartName, RequestShape } from "../protocol.ts";
import { diffElements, diffValues } from "./view-diff.ts";
import { createList, parsePart, type LazyList } from "./view-list.ts";
import { createLazy } from "./view-lazy.ts";
import { memberPath, refuse, writeJson } from "./view-plain.ts";
import { createMembers, UNREAD } from "./view-same.ts";

const { isArray } = Array;
const { Map, Set, SyntaxError } = globalThis;
const { defineProperty, ownKeys } = Reflect;
const { hasOwn } = Object;

export interface DocumentView {
  readonly view: object;
  /**
   * What was changed; undefined when nothing was.
   *
   * @throws TypeError naming the path of a value that is no JSON, and whatever getters and proxies of user
   *         code throw. May ask for parts, too: when a list that was not read was stored in another place
   */
  readonly patch: () => Patch | undefined;
}

/**
 * A request of which only the parts in `parts` are there. What user code reads is parsed then; what it reads
 * and is not there goes to `onNeed`, which throws.
 *
 * @param parts JSON texts by `field#index`; index -1 is the whole field
 */
export function createView(shape: RequestShape, parts: ReadonlyMap<string, string>, onNeed: (part: PartName) => never): DocumentView {
  const lists = new Map<string, LazyList>();
  const values: Record<string, unknown> = {};
  for (const key of shape.keys) {
    defineProperty(values, key, { value: UNREAD, writable: true, enumerable: true, configurable: true });
  }
  const readField = (field: string): unknown => {
    const text = parts.get(`${field}#-1`);
    if (hasOwn(shape.lengths, field)) {
      const list = createList(field, shape.lengths[field]!, parts, onNeed);
      lists.set(field, list);
      return list.array;
    }
    return text === undefined ? onNeed([field, -1]) : parsePart(text, memberPath("", field));
  };
  const view = createLazy(values, readField, "");

  const diffField = (field: string, value: unknown): Patch | undefined => {
    const path = memberPath("", field);
    const text = parts.get(`${field}#-1`);
    if (hasOwn(shape.lengths, field) && isArray(value)) {
      const list = lists.get(field) ?? createList(field, shape.lengths[field]!, parts, onNeed);
      return diffElements(list.old(), value === list.array ? list.target : value, path);
    }
    return text === undefined ? { v: writeJson(value, path) } : diffValues(parsePart(text, path), value, path);
  };

  const patch = (): Patch | undefined => {
    const o = createMembers<Patch | null>();
    let isChanged = false;
    const known = new Set(shape.keys);
    for (const key of ownKeys(values)) {
      if (typeof key === "symbol") refuse("", "has a member whose key is a symbol");
      const value = values[key];
      if (value === UNREAD || value === undefined) continue;
      const change = known.has(key) ? diffField(key, value) : { v: writeJson(value, memberPath("", key)) };
      if (change === undefined) continue;
      o[key] = change;
      isChanged = true;
    }
    for (const key of shape.keys) {
      if (hasOwn(values, key) && values[key] !== undefined) continue;
      o[key] = null;
      isChanged = true;
    }
    return isChanged ? { o } : undefined;
  };
  return { view, patch };
}

/**
 * The same over one whole JSON text, e.g. a reply or an event.
 *
 * @throws SyntaxError when the text is no JSON object
 */
export function createDocumentView(text: string): DocumentView {
  const view: unknown = parsePart(text, "");
  if (typeof view !== "object" || view === null || isArray(view)) throw new SyntaxError("The document is no JSON object.");
  return { view, patch: () => diffValues(parsePart(text, ""), view, "") };
}
