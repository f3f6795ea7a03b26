/** The long arrays of a request, read element by element or as a whole. */

import type { Json } from "../../../sdk/body.ts";
import type { PartName } from "../protocol.ts";
import { createLazy } from "./view-lazy.ts";
import { memberPath } from "./view-plain.ts";
import { UNREAD, type OldElements } from "./view-same.ts";

const { parse } = JSON;
const { isArray } = Array;
const { Map, SyntaxError } = globalThis;

export interface LazyList {
  /** What user code gets. */
  readonly array: unknown[];
  /** The same elements, with {@link UNREAD} for those that were never read. */
  readonly target: readonly unknown[];
  /** What there was, as far as it was read by now. */
  old(): OldElements;
}

export function createList(field: string, length: number, parts: ReadonlyMap<string, string>, onNeed: (part: PartName) => never): LazyList {
  const whole = parts.get(`${field}#-1`);
  return whole === undefined ? createPartialList(field, length, parts, onNeed) : createWholeList(field, whole);
}

function createWholeList(field: string, text: string): LazyList {
  const path = memberPath("", field);
  const array: unknown[] = parseList(text, path);
  const places = new Map<unknown, number>();
  for (let at = 0; at < array.length; at++) notePlace(places, array[at], at);
  const old = (): OldElements => {
    const before = parseList(text, path);
    return { length: before.length, value: (index) => before[index], indexOf: (value) => places.get(value) ?? -1 };
  };
  return { array, target: array, old };
}

function createPartialList(field: string, length: number, parts: ReadonlyMap<string, string>, onNeed: (part: PartName) => never): LazyList {
  const path = memberPath("", field);
  const places = new Map<unknown, number>();
  const target: unknown[] = [];
  target.length = length;
  target.fill(UNREAD);

  const read = (key: string): unknown => {
    const index = Number(key);
    const text = parts.get(`${field}#${key}`);
    const element = text === undefined ? onNeed([field, index]) : parsePart(text, `${path}[${key}]`);
    notePlace(places, element, index);
    return element;
  };
  const before = new Map<number, Json>();
  const value = (index: number): Json | undefined => {
    const known = before.get(index);
    if (known !== undefined) return known;
    const text = parts.get(`${field}#${index}`);
    if (text === undefined) return undefined;
    const parsed = parsePart(text, `${path}[${index}]`);
    before.set(index, parsed);
    return parsed;
  };
  const old: OldElements = { length, value, indexOf: (value) => places.get(value) ?? -1 };
  return { array: createLazy(target, read, path), target, old: () => old };
}

/** The identity of an element, as it was handed out, says which one it was. */
function notePlace(places: Map<unknown, number>, element: unknown, index: number): void {
  if (typeof element === "object" && element !== null) places.set(element, index);
}

/** @throws SyntaxError naming the path, when the client sent no JSON there */
export function parsePart(text: string, path: string): Json {
  try {
    const value: Json = parse(text);
    return value;
  } catch {
    // The parser's own message quotes the text, which may be secret.
    throw new SyntaxError(`${path === "" ? "The document" : path} is not valid JSON.`);
  }
}

function parseList(text: string, path: string): Json[] {
  const value: unknown = parsePart(text, path);
  if (!isArray(value)) throw new SyntaxError(`${path} is not a list.`);
  return value;
}
