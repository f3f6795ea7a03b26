/** Objects and arrays whose values are read only when user code touches them. */

import { checkAssigned, memberPath, refuse } from "./view-plain.ts";
import { UNREAD } from "./view-same.ts";

const { isArray } = Array;
const { hasOwn } = Object;
const { Proxy } = globalThis;
const { defineProperty, get: getValue, getOwnPropertyDescriptor, ownKeys, preventExtensions, set: setValue } = Reflect;

/**
 * A proxy over a target that holds {@link UNREAD} in place of what was not read yet. All else about the target
 * is real: its keys, its length, what was assigned. So only the traps that show a value are needed.
 *
 * @param read gives the value of a key; may throw
 * @param path of the target, for messages; empty for the document
 */
export function createLazy<Target extends object>(target: Target, read: (key: string) => unknown, path: string): Target {
  const fetched = (key: string | symbol): unknown => {
    const value: unknown = getValue(target, key);
    if (value !== UNREAD || typeof key === "symbol") return value;
    const real = read(key);
    defineProperty(target, key, { value: real });
    return real;
  };
  const pathOf = (key: string): string => (isArray(target) ? `${path}[${key}]` : memberPath(path, key));
  const set = (key: string | symbol, value: unknown): boolean => {
    if (typeof key === "symbol") refuse(path, "was given a member whose key is a symbol");
    checkAssigned(value, pathOf(key));
    if (key === "length" && isArray(target)) return setValue(target, key, value);
    // Not a plain assignment: `__proto__`, and names that a frozen prototype has, are keys like any other.
    const isNew = !hasOwn(target, key);
    return defineProperty(target, key, isNew ? { value, writable: true, enumerable: true, configurable: true } : { value });
  };

  const proxy: Target = new Proxy(target, {
    get: (_, key) => fetched(key),
    // Asked for each key by `Object.keys` and `hasOwn`, which must not read anything.
    getOwnPropertyDescriptor(_, key) {
      const descriptor = getOwnPropertyDescriptor(target, key);
      if (descriptor?.value !== UNREAD) return descriptor;
      return { get: () => fetched(key), set: (value) => void set(key, value), enumerable: true, configurable: true };
    },
    set: (_, key, value, receiver) => (receiver === proxy ? set(key, value) : setValue(target, key, value, receiver)),
    defineProperty(_, key, descriptor) {
      if (typeof key === "symbol") refuse(path, "was given a member whose key is a symbol");
      if (hasOwn(descriptor, "get") || hasOwn(descriptor, "set")) refuse(pathOf(key), "was given a getter or setter");
      if (hasOwn(descriptor, "value")) checkAssigned(descriptor.value, pathOf(key));
      else if (hasOwn(target, key)) fetched(key);
      return defineProperty(target, key, descriptor);
    },
    // Freezing goes by descriptors, and would leave alone what is not read.
    preventExtensions() {
      for (const key of ownKeys(target)) fetched(key);
      return preventExtensions(target);
    },
    setPrototypeOf: () => refuse(path, "was given another prototype"),
  });
  return proxy;
}
