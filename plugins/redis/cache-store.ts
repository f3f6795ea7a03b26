/** Replies in a Redis server: one string an entry, which the server forgets by itself. */

import type { CachedReply, CacheStats, CacheStore } from "../../sdk/cache.ts";
import { type WallClock, durationText } from "./clock.ts";
import type { Connection } from "./connection.ts";
import type { Names } from "./names.ts";

const scanCount = 1000;
/** Beyond so many steps, that is some 50,000 keys of the database, `stats` goes on from what it has seen. */
const statsSteps = 50;

/** Before head and body: when it was stored, when it ends (by a test's clock; 0: the server's), and how long the head is. */
const fixedBytes = 8 + 8 + 4;

/**
 * `stats` walks over keys in a bounded number of steps: exact in databases of up to some 50,000 keys, and an estimate from as many in larger ones. It
 * so costs nothing when replies are put, and is right when the server has evicted some.
 */
export function createCacheStore(connection: Connection, names: Names, wallClock: WallClock): CacheStore {
  const keyOf = (key: string): string => names.of("cache", key);

  async function step(cursor: string): Promise<readonly [cursor: string, keys: string[]]> {
    return connection.command(async (redis) => redis.scan(cursor, "MATCH", names.patternOf("cache"), "COUNT", scanCount));
  }

  async function sizesOf(keys: readonly string[]): Promise<readonly number[]> {
    if (keys.length === 0) return [];
    const answers = await connection.command(async (redis) => redis.pipeline(keys.map((key) => ["strlen", key])).exec());
    // Of what has gone meanwhile there is nothing.
    return (answers ?? []).map(([, size]) => Number(size ?? 0)).filter((size) => size > 0);
  }

  return {
    async get(key) {
      const entry = await connection.command(async (redis) => redis.getBuffer(keyOf(key)));
      return entry === null ? undefined : decode(entry, wallClock?.() ?? 0);
    },
    async put(key, reply, ttlMs) {
      const entry = encode(reply, wallClock === undefined ? 0 : wallClock() + ttlMs);
      await connection.command(async (redis) => redis.set(keyOf(key), entry, "PX", durationText(ttlMs)));
    },
    async delete(keys) {
      return keys.length === 0 ? 0 : connection.command(async (redis) => redis.unlink(keys.map(keyOf)));
    },
    async clear() {
      let cursor = "0";
      do {
        const [next, keys] = await step(cursor);
        if (keys.length > 0) await connection.command(async (redis) => redis.unlink(keys));
        cursor = next;
      } while (cursor !== "0");
    },
    async stats(): Promise<CacheStats> {
      // A walk may come by a key more than once.
      const seen = new Set<string>();
      let bytes = 0;
      let entries = 0;
      let cursor = "0";
      for (let steps = 0; steps < statsSteps; steps += 1) {
        const [next, keys] = await step(cursor);
        const fresh = keys.filter((key) => !seen.has(key));
        for (const key of fresh) seen.add(key);
        const sizes = await sizesOf(fresh);
        entries += sizes.length;
        bytes += sizes.reduce((sum, size) => sum + size - fixedBytes, 0);
        cursor = next;
        if (cursor === "0") return { entries, bytes };
      }
      const all = await connection.command(async (redis) => redis.dbsize());
      const share = Math.max(1, all / (statsSteps * scanCount));
      return { entries: Math.round(entries * share), bytes: Math.round(bytes * share) };
    },
    close: async () => undefined,
  };
}

function encode({ storedAt, head, body }: CachedReply, endsAt: number): Buffer {
  const headBytes = Buffer.from(head);
  const entry = Buffer.allocUnsafe(fixedBytes + headBytes.length + body.length);
  entry.writeDoubleBE(storedAt, 0);
  entry.writeDoubleBE(endsAt, 8);
  entry.writeUInt32BE(headBytes.length, 16);
  entry.set(headBytes, fixedBytes);
  entry.set(body, fixedBytes + headBytes.length);
  return entry;
}

/** Undefined for what is over, and for what is no entry of ours. */
function decode(entry: Buffer, now: number): CachedReply | undefined {
  if (entry.length < fixedBytes) return undefined;
  const endsAt = entry.readDoubleBE(8);
  const bodyAt = fixedBytes + entry.readUInt32BE(16);
  if (bodyAt > entry.length || (endsAt > 0 && endsAt <= now)) return undefined;
  return { storedAt: entry.readDoubleBE(0), head: entry.toString("utf8", fixedBytes, bodyAt), body: entry.subarray(bodyAt) };
}
