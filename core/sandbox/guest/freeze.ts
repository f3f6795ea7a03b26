/** Freezes everything the language brings along, so that no user code can change it under the runtime or another part of itself. */

/** Reachable from syntax only, not from the global object. */
const hidden: readonly unknown[] = [
  Object.getPrototypeOf(function* () {}),
  Object.getPrototypeOf(async () => undefined),
  Object.getPrototypeOf(async function* () {}),
  Object.getPrototypeOf([][Symbol.iterator]()),
  Object.getPrototypeOf(""[Symbol.iterator]()),
  Object.getPrototypeOf(new Map()[Symbol.iterator]()),
  Object.getPrototypeOf(new Set()[Symbol.iterator]()),
  Object.getPrototypeOf(""["matchAll"](/x/g)),
  Object.getPrototypeOf(Uint8Array),
  Proxy.revocable,
  ...iteratorHelpers(),
];

function iteratorHelpers(): readonly unknown[] {
  const iterator: unknown = Reflect.get(globalThis, "Iterator");
  if (typeof iterator !== "function") return [];
  const map: unknown = Reflect.get(iterator.prototype as object, "map");
  const from: unknown = Reflect.get(iterator, "from");
  if (typeof map !== "function" || typeof from !== "function") return [];
  const mapped: unknown = Reflect.apply(map, [][Symbol.iterator](), [String]);
  const wrapped: unknown = Reflect.apply(from, iterator, [{ next: () => ({ done: true, value: undefined }) }]);
  return [mapped, wrapped].map((value): unknown => Object.getPrototypeOf(value));
}

/**
 * A frozen member of a prototype cannot be assigned on the objects below it either, which classes and
 * npm packages do all the time (`this.name = …` in an error, `object.toString = …`). As an accessor it can.
 * Members of arrays and typed arrays stay plain: an accessor would slow down every access.
 */
const assignable: readonly (readonly [prototype: object, keys: readonly string[] | "all"])[] = [
  [Object.prototype, "all"],
  [Function.prototype, "all"],
  [Error.prototype, "all"],
  [TypeError.prototype, "all"],
  [RangeError.prototype, "all"],
  [SyntaxError.prototype, "all"],
  [ReferenceError.prototype, "all"],
  [EvalError.prototype, "all"],
  [URIError.prototype, "all"],
  [AggregateError.prototype, "all"],
  [Array.prototype, ["toString", "toLocaleString"]],
  [Date.prototype, ["toString", "toJSON", "valueOf", "toISOString"]],
  [RegExp.prototype, ["toString", "exec", "test"]],
  [Map.prototype, ["get", "set", "has", "delete", "clear"]],
  [Set.prototype, ["add", "has", "delete", "clear"]],
];

/** @param realm the global object: its own bindings are made constant, what they hold is frozen, all the way down */
export function freezeIntrinsics(realm: object): void {
  for (const [prototype, keys] of assignable) {
    for (const key of keys === "all" ? Reflect.ownKeys(prototype) : keys) makeAssignable(prototype, key);
  }
  const reached = new Set<unknown>([realm]);
  const waiting: unknown[] = [...hidden];
  for (const name of Reflect.ownKeys(realm)) {
    const descriptor = Reflect.getOwnPropertyDescriptor(realm, name);
    if (descriptor === undefined || !("value" in descriptor)) continue;
    waiting.push(descriptor.value);
    // The runtime itself goes by these names.
    if (descriptor.configurable === true && !replaceable.has(String(name))) {
      Object.defineProperty(realm, name, { writable: false, configurable: false });
    }
  }
  for (let next = waiting.pop(); waiting.length > 0 || next !== undefined; next = waiting.pop()) {
    if ((typeof next !== "object" && typeof next !== "function") || next === null || reached.has(next)) continue;
    reached.add(next);
    collect(next, waiting);
    if (next === Error) freezeAllBut(next, "stackTraceLimit");
    else Object.freeze(next);
  }
}

/** Supplied by the runtime, which does not rely on them: a package may bring its own. */
const replaceable: ReadonlySet<string> = new Set([
  "console",
  "structuredClone",
  "queueMicrotask",
  "TextEncoder",
  "TextDecoder",
  "URL",
  "URLSearchParams",
  "atob",
  "btoa",
  "crypto",
  "fetch",
  "setTimeout",
  "setInterval",
  "setImmediate",
  "clearTimeout",
  "clearInterval",
  "clearImmediate",
  "globalThis",
]);

/** Packages raise the limit of stack traces; the engine looks for a plain property there. */
function freezeAllBut(target: object, free: string): void {
  Object.preventExtensions(target);
  for (const key of Reflect.ownKeys(target)) {
    const descriptor = Reflect.getOwnPropertyDescriptor(target, key);
    if (key === free || descriptor === undefined) continue;
    Object.defineProperty(target, key, "value" in descriptor ? { writable: false, configurable: false } : { configurable: false });
  }
}

function collect(from: object, into: unknown[]): void {
  into.push(Object.getPrototypeOf(from));
  // A method has nothing of its own but a name and a length; there are a thousand of them.
  if (typeof from === "function" && !Object.hasOwn(from, "prototype")) return;
  for (const key of Reflect.ownKeys(from)) {
    const descriptor = Reflect.getOwnPropertyDescriptor(from, key);
    if (descriptor === undefined) continue;
    if ("value" in descriptor) into.push(descriptor.value);
    else into.push(descriptor.get, descriptor.set);
  }
}

function makeAssignable(prototype: object, key: string | symbol): void {
  const descriptor = Reflect.getOwnPropertyDescriptor(prototype, key);
  if (descriptor === undefined || !("value" in descriptor) || descriptor.configurable !== true || descriptor.writable !== true) return;
  const value: unknown = descriptor.value;
  Object.defineProperty(prototype, key, {
    configurable: false,
    enumerable: descriptor.enumerable === true,
    get: () => value,
    set(this: unknown, assigned: unknown) {
      if (this === prototype) throw new TypeError(`the sandbox has frozen ${String(key)} of a built-in prototype`);
      if ((typeof this !== "object" && typeof this !== "function") || this === null) return;
      const own = Reflect.getOwnPropertyDescriptor(this, key);
      if (own !== undefined) Reflect.defineProperty(this, key, { value: assigned });
      else Object.defineProperty(this, key, { value: assigned, writable: true, enumerable: true, configurable: true });
    },
  });
}
