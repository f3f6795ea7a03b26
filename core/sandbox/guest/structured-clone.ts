/** structuredClone for isolates, which have none. */

/** @throws Error named DataCloneError for functions, symbols and what else cannot be copied */
export function cloneStructured<Value>(value: Value): Value {
  return copy(value, new Map()) as Value;
}

function copy(value: unknown, copies: Map<object, unknown>): unknown {
  if (typeof value === "function" || typeof value === "symbol") throw notCloned(typeof value);
  if (typeof value !== "object" || value === null) return value;
  if (copies.has(value)) return copies.get(value);
  const empty = emptyLike(value);
  copies.set(value, empty);
  if (empty instanceof Map && value instanceof Map) {
    for (const [key, member] of value) empty.set(copy(key, copies), copy(member, copies));
  } else if (empty instanceof Set && value instanceof Set) {
    for (const member of value) empty.add(copy(member, copies));
  } else if (Array.isArray(value) || Object.getPrototypeOf(empty) === Object.prototype) {
    for (const key of Object.keys(value)) {
      const member: unknown = copy(Reflect.get(value, key), copies);
      Object.defineProperty(empty, key, { value: member, writable: true, enumerable: true, configurable: true });
    }
  }
  return empty;
}

/** The copy, without the members that may lead back to it. */
function emptyLike(value: object): object {
  if (Array.isArray(value)) return Array.from({ length: Math.min(value.length, 1e6) });
  if (value instanceof Map) return new Map();
  if (value instanceof Set) return new Set();
  if (value instanceof Date) return new Date(value.getTime());
  if (value instanceof RegExp) return new RegExp(value.source, value.flags);
  if (value instanceof Error) return copyError(value);
  if (value instanceof ArrayBuffer) return value.slice(0);
  if (value instanceof DataView) return new DataView(value.buffer.slice(0), value.byteOffset, value.byteLength);
  if (ArrayBuffer.isView(value)) return copyTypedArray(value);
  if (value instanceof Promise || value instanceof WeakMap || value instanceof WeakSet) throw notCloned("it");
  return {};
}

function copyError(value: Error): Error {
  const error = new Error(value.message, value.cause === undefined ? undefined : { cause: value.cause });
  Object.defineProperty(error, "name", { value: value.name, configurable: true, writable: true });
  return error;
}

function copyTypedArray(value: ArrayBufferView): object {
  const slice: unknown = Reflect.get(value, "slice");
  if (typeof slice !== "function") throw notCloned("it");
  const copied: unknown = Reflect.apply(slice, value, []);
  if (typeof copied !== "object" || copied === null) throw notCloned("it");
  return copied;
}

function notCloned(what: string): Error {
  const error = new Error(`structuredClone: ${what} cannot be copied`);
  error.name = "DataCloneError";
  return error;
}
