/** Remembers counts by content, the least recently used forgotten first. */

import type { TextCount } from "./text-count.ts";

export interface CountMemo {
  /** Looks without counting it as a use. */
  has(key: string): boolean;
  get(key: string): TextCount | undefined;
  set(key: string, count: TextCount): void;
  size(): number;
}

/** @param capacity number of entries kept */
export function createCountMemo(capacity: number): CountMemo {
  // A Map iterates in order of insertion: re-inserting on use keeps the oldest entry first.
  const entries = new Map<string, TextCount>();
  return {
    has: (key) => entries.has(key),
    get(key) {
      const found = entries.get(key);
      if (found === undefined) return undefined;
      entries.delete(key);
      entries.set(key, found);
      return found;
    },
    set(key, count) {
      entries.delete(key);
      entries.set(key, count);
      if (entries.size <= capacity) return;
      const oldest = entries.keys().next();
      if (oldest.done !== true) entries.delete(oldest.value);
    },
    size: () => entries.size,
  };
}
