/** Replies in a file, so many bytes at most: who was put first goes first. */

import type { CacheStore } from "../../sdk/cache.ts";
import type { Database } from "./database.ts";
import { createSweeper } from "./sweeper.ts";

const insert = "INSERT INTO cached (key, stored_at, expires_at, bytes, head, body) VALUES (?, ?, ?, ?, ?, ?)";
const total = "SELECT entries, bytes FROM cached_total";
const evictedAtOnce = 64;
const evict = `DELETE FROM cached WHERE number = ?`;

export interface SqliteCacheOptions {
  readonly wallClock: () => number;
  /** Of heads, bodies and keys. */
  readonly maxBytes: number;
}

export function createSqliteCache(database: Database, { wallClock, maxBytes }: SqliteCacheOptions, close: () => Promise<void>): CacheStore {
  const sweep = createSweeper(database, [{ table: "cached", key: "number", at: "expires_at" }]);

  /** Makes room for so many bytes. */
  function makeRoom(bytes: number): void {
    let excess = Number(database.get(total)?.["bytes"]) + bytes - maxBytes;
    while (excess > 0) {
      const oldest = database.all(`SELECT number, bytes FROM cached ORDER BY number LIMIT ${evictedAtOnce}`);
      if (oldest.length === 0) return;
      for (const row of oldest) {
        if (excess <= 0) return;
        database.run(evict, row["number"] ?? null);
        excess -= Number(row["bytes"]);
      }
    }
  }

  return {
    get: (key) =>
      database.read(() => {
        const row = database.get("SELECT stored_at, head, body FROM cached WHERE key = ? AND expires_at > ?", key, wallClock());
        if (row === undefined) return undefined;
        return { storedAt: Number(row["stored_at"]), head: String(row["head"]), body: row["body"] as Uint8Array };
      }),

    put(key, { storedAt, head, body }, ttlMs) {
      const bytes = Buffer.byteLength(key) + Buffer.byteLength(head) + body.byteLength;
      const now = wallClock();
      database.transaction(() => {
        sweep(now);
        database.run("DELETE FROM cached WHERE key = ?", key);
        // What would push out everything else, and itself, is not kept.
        if (bytes > maxBytes) return;
        makeRoom(bytes);
        database.run(insert, key, storedAt, now + ttlMs, bytes, head, body);
      });
    },

    delete(keys) {
      const now = wallClock();
      const remove = "DELETE FROM cached WHERE key = ? RETURNING expires_at";
      return database.transaction(() => keys.filter((key) => Number(database.get(remove, key)?.["expires_at"] ?? 0) > now).length);
    },

    clear: () =>
      database.transaction(() => {
        database.run("DELETE FROM cached");
      }),

    stats: () =>
      database.snapshot(() => {
        const row = database.get(total);
        const over = database.get(
          "SELECT count(*) AS entries, coalesce(sum(bytes), 0) AS bytes FROM cached WHERE expires_at <= ?",
          wallClock(),
        );
        return { entries: Number(row?.["entries"]) - Number(over?.["entries"]), bytes: Number(row?.["bytes"]) - Number(over?.["bytes"]) };
      }),

    close,
  };
}
