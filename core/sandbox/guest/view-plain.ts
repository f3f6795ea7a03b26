/** Writes what user code left in a document as JSON text; everything JSON cannot hold is an error that names its path. */

const { stringify } = JSON;
const { isArray } = Array;
const { isFinite } = Number;
const { Date, Map, Promise, Set, TypeError } = globalThis;
const { getOwnPropertyDescriptor, getPrototypeOf, ownKeys } = Reflect;
const objectPrototype: object = Object.prototype;

/** Like that of the whole request: what goes deeper is refused by the proxy anyway. */
const DEEPEST = 200;
/** One object put into itself many times over would otherwise be written until the time is up. */
const MOST_VALUES = 1_000_000;
/** The path into a cycle has no end. */
const LONGEST_PATH = 120;

/** @throws TypeError naming the path of what cannot be written */
export function writeJson(value: unknown, path: string): string {
  checkPlain(value, path, { left: MOST_VALUES, parents: [] });
  return stringify(value);
}

export function refuse(path: string, found: string): never {
  const place = path.length > LONGEST_PATH ? `${path.slice(0, LONGEST_PATH)}…` : path;
  throw new TypeError(`${place === "" ? "The document" : place} ${found}; only JSON values can be put there.`);
}

/** The path of a member: `tools[0].name`, `metadata["user id"]`. */
export function memberPath(path: string, key: string): string {
  if (!/^[A-Za-z_$][\w$]*$/.test(key)) return `${path}[${stringify(key)}]`;
  return path === "" ? key : `${path}.${key}`;
}

/** Plain objects only: a Date or a Map would be written as something else than it is. */
export function isPlain(value: object): boolean {
  const prototype = getPrototypeOf(value);
  return prototype === objectPrototype || prototype === null;
}

/** Refuses symbols, getters and members that cannot be enumerated: nothing of them would be written. */
export function checkMember(object: object, key: string | symbol, path: string): asserts key is string {
  if (typeof key === "symbol") refuse(path, "has a member whose key is a symbol");
  const descriptor = getOwnPropertyDescriptor(object, key);
  if (descriptor === undefined) return;
  if (!("value" in descriptor)) refuse(memberPath(path, key), "is a getter or setter");
  if (descriptor.enumerable !== true) refuse(memberPath(path, key), "was defined as not enumerable");
}

/** Refuses at once what can never become JSON. Objects are looked into only when the patch is made. */
export function checkAssigned(value: unknown, path: string): void {
  if (typeof value === "function" || typeof value === "symbol" || typeof value === "bigint") refuse(path, `is ${nameOf(value)}`);
}

interface Walk {
  left: number;
  readonly parents: object[];
}

function checkPlain(value: unknown, path: string, walk: Walk): void {
  if (--walk.left < 0) refuse(path, `holds more than ${MOST_VALUES} values`);
  if (typeof value === "string" || typeof value === "boolean" || value === null) return;
  if (typeof value === "number" && isFinite(value)) return;
  if (typeof value !== "object") refuse(path, `is ${nameOf(value)}`);

  const { parents } = walk;
  if (parents.length >= DEEPEST) {
    const isCycle = new Set(parents).size < parents.length;
    refuse(path, isCycle ? "holds itself" : `is nested deeper than ${DEEPEST} levels`);
  }
  parents.push(value);
  if (isArray(value)) {
    for (let at = 0; at < value.length; at++) checkElement(value, at, `${path}[${at}]`, walk);
  } else {
    if (!isPlain(value)) refuse(path, `is ${nameOf(value)}`);
    for (const key of ownKeys(value)) {
      // Read first: what a lazy list has not read yet shows as a getter.
      const member: unknown = Reflect.get(value, key);
      checkMember(value, key, path);
      if (member !== undefined) checkPlain(member, memberPath(path, key), walk);
    }
  }
  parents.pop();
}

function checkElement(array: readonly unknown[], at: number, path: string, walk: Walk): void {
  const value = array[at];
  const descriptor = getOwnPropertyDescriptor(array, at);
  if (descriptor === undefined) refuse(path, "is an empty place in a list");
  if (!("value" in descriptor)) refuse(path, "is a getter or setter");
  checkPlain(value, path, walk);
}

function nameOf(value: unknown): string {
  if (typeof value === "number") return `${value}`;
  if (typeof value === "undefined") return "undefined";
  if (typeof value !== "object" || value === null) return `a ${typeof value}`;
  // Names can be anything user code likes; only these are said.
  if (value instanceof Date) return "a Date";
  if (value instanceof Map) return "a Map";
  if (value instanceof Set) return "a Set";
  if (value instanceof Promise) return "a Promise (is an `await` missing?)";
  return "an object of a class";
}
