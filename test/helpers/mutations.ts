/** Random changes to a JSON document, the same for every document of the same content. */

import * as fc from "fast-check";

/** One change. The numbers choose among what there is when the change is made. */
export interface Mutation {
  readonly operation: (typeof operations)[number];
  readonly place: readonly number[];
  /** Of the value that is moved or copied. */
  readonly from: readonly number[];
  readonly numbers: readonly number[];
  readonly key: string;
  /** JSON. */
  readonly value: string;
}

const operations = [
  "set",
  "set",
  "set",
  "delete",
  "move",
  "copy",
  "clone",
  "push",
  "pop",
  "shift",
  "unshift",
  "splice",
  "splice",
  "reverse",
  "sort",
  "fill",
  "copyWithin",
  "length",
  "swap",
  "filter",
  "map",
  "slice",
  "concat",
  "undo",
] as const;

const keys = ["model", "messages", "tools", "a", "new", "__proto__", "constructor", "toString", "0", "é", 'quo"te', "two words", ""];

/** @param value arbitrary JSON text of what is put in */
export function mutation(value: fc.Arbitrary<string>): fc.Arbitrary<Mutation> {
  const choices = fc.array(fc.nat({ max: 11 }), { maxLength: 4 });
  return fc.record({
    operation: fc.constantFrom(...operations),
    place: choices,
    from: choices,
    numbers: fc.array(fc.nat({ max: 9 }), { minLength: 3, maxLength: 3 }),
    key: fc.constantFrom(...keys),
    value,
  });
}

type Container = unknown[] | Record<string, unknown>;

/** Makes the changes, on a view as on plain data. */
export function mutate(root: object, mutations: readonly Mutation[]): void {
  for (const mutation of mutations) mutateOnce(root as Record<string, unknown>, mutation);
}

function mutateOnce(root: Record<string, unknown>, { operation, place, from, numbers, key, value }: Mutation): void {
  const container = find(root, place);
  const [first = 0, second = 0, third = 0] = numbers;
  const fresh = (): unknown => JSON.parse(value);
  if (operation === "move" || operation === "copy" || operation === "clone") {
    const source = find(root, from);
    const name = pick(source, first);
    if (name === undefined) return;
    const moved = (source as Record<string, unknown>)[name];
    // Into itself: an error on either side.
    if (typeof moved === "object" && moved !== null && holds(moved, container)) return;
    if (operation === "move") remove(source, name);
    const target = Array.isArray(container) ? String(second % (container.length + 1)) : key;
    put(container, target, operation === "clone" ? clone(moved) : moved);
    return;
  }
  if (operation === "undo") {
    const name = pick(container, first);
    if (name === undefined) return;
    const before = (container as Record<string, unknown>)[name];
    put(container, name, "for a moment");
    put(container, name, before);
    return;
  }
  if (!Array.isArray(container)) {
    const name = pick(container, first);
    if (operation === "delete" && name !== undefined) remove(container, name);
    else if (second % 2 === 0 && name !== undefined) put(container, name, fresh());
    else put(container, key, fresh());
    return;
  }
  const at = container.length === 0 ? 0 : first % container.length;
  switch (operation) {
    case "set":
      put(container, String(at), fresh());
      break;
    case "delete":
      container.splice(at, 1);
      break;
    case "push":
      container.push(fresh(), ...(second % 2 === 0 && container.length > 0 ? [container[at]] : []));
      break;
    case "pop":
      container.pop();
      break;
    case "shift":
      container.shift();
      break;
    case "unshift":
      container.unshift(fresh());
      break;
    case "splice":
      container.splice(at, second, ...(third % 2 === 0 ? [fresh()] : []));
      break;
    case "reverse":
      container.reverse();
      break;
    case "sort":
      container.sort((one, other) => (JSON.stringify(one) < JSON.stringify(other) ? -1 : 1));
      break;
    case "fill":
      container.fill(7, at, at + second);
      break;
    case "copyWithin":
      container.copyWithin(at, second, second + third);
      break;
    case "length":
      container.length = Math.min(container.length, second);
      break;
    case "swap": {
      const other = second % (container.length || 1);
      if (container.length > 1) [container[at], container[other]] = [container[other], container[at]];
      break;
    }
    case "filter":
      replace(root, place, (list) => list.filter((_, index) => index % (second + 2) !== third % 3));
      break;
    case "map":
      replace(root, place, (list) =>
        list.map((element, index) => {
          const isObject = typeof element === "object" && element !== null && !Array.isArray(element);
          return isObject && index % 3 === third % 3 ? { ...element, mapped: index } : element;
        }),
      );
      break;
    case "slice":
      replace(root, place, (list) => list.slice(-second));
      break;
    case "concat":
      replace(root, place, (list) => list.concat([fresh()], second % 2 === 0 ? list : []));
      break;
  }
}

/** A container somewhere below the root, or the root itself. */
function find(root: Record<string, unknown>, place: readonly number[]): Container {
  let container: Container = root;
  for (const choice of place) {
    const name = pick(container, choice);
    const next = name === undefined ? undefined : (container as Record<string, unknown>)[name];
    if (typeof next !== "object" || next === null) break;
    container = next as Container;
  }
  return container;
}

/** Puts another array where this one stands. */
function replace(root: Record<string, unknown>, place: readonly number[], change: (list: unknown[]) => unknown[]): void {
  let container: Container = root;
  let owner: readonly [Container, string] | undefined;
  for (const choice of place) {
    const name = pick(container, choice);
    const next = name === undefined ? undefined : (container as Record<string, unknown>)[name];
    if (name === undefined || typeof next !== "object" || next === null) break;
    owner = [container, name];
    container = next as Container;
  }
  if (owner !== undefined && Array.isArray(container)) put(owner[0], owner[1], change(container));
}

function pick(container: Container, choice: number): string | undefined {
  const names = Object.keys(container).sort();
  return names[choice % (names.length || 1)];
}

function put(container: Container, name: string, value: unknown): void {
  if (Array.isArray(container)) container[Number(name)] = value;
  else Object.defineProperty(container, name, { value, writable: true, enumerable: true, configurable: true });
}

function remove(container: Container, name: string): void {
  if (Array.isArray(container)) container.splice(Number(name), 1);
  else delete container[name];
}

function holds(value: object, wanted: object): boolean {
  return value === wanted || Object.values(value).some((each: unknown) => typeof each === "object" && each !== null && holds(each, wanted));
}

function clone(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(clone);
  const copy = {};
  for (const [key, member] of Object.entries(value)) put(copy, key, clone(member));
  return copy;
}
