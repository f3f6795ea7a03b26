/** Replies in memory, so many bytes at most: who was asked for least recently goes first. */

import type { CachedReply, CacheStore } from "../../sdk/cache.ts";

export interface MemoryCacheOptions {
  /** ms since 1970: a reply ages while the machine sleeps, too. */
  readonly wallClock: () => number;
  /** Of heads, bodies and keys, with what a map takes for an entry. */
  readonly maxBytes: number;
}

interface Entry {
  readonly reply: CachedReply;
  readonly expiresAt: number;
  readonly bytes: number;
  readonly weight: number;
}

/** About what an entry takes beside its text and bytes, so that very many small ones do not take far more than is allowed. */
const entryOverhead = 256;
const sweptEveryMs = 60_000;

export function createMemoryCache({ wallClock, maxBytes }: MemoryCacheOptions): CacheStore {
  /** Least recently used first. */
  const entries = new Map<string, Entry>();
  let weight = 0;
  let bytes = 0;
  let sweptAt = wallClock();

  function remove(key: string): Entry | undefined {
    const entry = entries.get(key);
    if (entry === undefined) return undefined;
    entries.delete(key);
    weight -= entry.weight;
    bytes -= entry.bytes;
    return entry;
  }

  function sweep(time: number): void {
    sweptAt = time;
    for (const [key, { expiresAt }] of entries) if (expiresAt <= time) remove(key);
  }

  function makeRoom(): void {
    for (const key of entries.keys()) {
      if (weight <= maxBytes) return;
      remove(key);
    }
  }

  return {
    /** The bytes are those that are kept: who gets them changes nothing. */
    get(key) {
      const entry = entries.get(key);
      if (entry === undefined) return undefined;
      if (entry.expiresAt <= wallClock()) {
        remove(key);
        return undefined;
      }
      entries.delete(key);
      entries.set(key, entry);
      return entry.reply;
    },

    put(key, { storedAt, head, body }, ttlMs) {
      const time = wallClock();
      if (Math.abs(time - sweptAt) >= sweptEveryMs) sweep(time);
      remove(key);
      const size = Buffer.byteLength(head) + body.byteLength;
      const entry: Entry = {
        reply: { storedAt, head, body: new Uint8Array(body) },
        expiresAt: time + ttlMs,
        bytes: size,
        weight: size + Buffer.byteLength(key) + entryOverhead,
      };
      // What would push out everything else, and itself, is not kept.
      if (entry.weight > maxBytes) return;
      entries.set(key, entry);
      weight += entry.weight;
      bytes += entry.bytes;
      makeRoom();
    },

    delete(keys) {
      const time = wallClock();
      return keys.filter((key) => (remove(key)?.expiresAt ?? 0) > time).length;
    },

    clear() {
      entries.clear();
      weight = bytes = 0;
    },

    stats() {
      sweep(wallClock());
      return { entries: entries.size, bytes };
    },

    async close() {
      entries.clear();
      weight = bytes = 0;
    },
  };
}
