/** What all processes that share a file remember of their deployments. */

import { randomUUID } from "node:crypto";

import type { Cooldown, RoutingStore } from "../../sdk/routing-store.ts";
import type { Database } from "./database.ts";
import { beginAttempt, endAttempt, inFlightMs, readState } from "./deployments.ts";
import { createSweeper } from "./sweeper.ts";
import { optionalNumber } from "./values.ts";

/** What nobody has touched for a day is most likely no longer configured. */
const keptMs = 24 * 3_600_000;

const countFailure =
  "INSERT INTO failures (id, count, until) VALUES (?1, 1, ?2) ON CONFLICT DO UPDATE SET " +
  "count = CASE WHEN until > ?3 THEN count + 1 ELSE 1 END, until = CASE WHEN until > ?3 THEN until ELSE ?2 END RETURNING count";
/** The longer of two. */
const coolDown =
  "INSERT INTO cooldown (key, until, reason, status) VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET " +
  "until = excluded.until, reason = excluded.reason, status = excluded.status WHERE excluded.until > until";
const bindSession =
  "INSERT INTO session (session, deployment, until) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET " +
  "deployment = excluded.deployment, until = excluded.until";

/** @param wallClock ms since 1970 */
export function createSqliteRouting(database: Database, wallClock: () => number, close: () => Promise<void>): RoutingStore {
  /** Of this store's attempts, so that those of a killed one are not under way for ever. */
  const owner = randomUUID();
  let isClosed = false;
  const sweep = createSweeper(database, [
    { table: "deployment", key: "id", at: "touched_at", keptMs },
    { table: "in_flight", key: "deployment, owner", at: "touched_at", keptMs: inFlightMs },
    { table: "failures", key: "id", at: "until" },
    { table: "cooldown", key: "key", at: "until" },
    { table: "session", key: "session", at: "until" },
  ]);

  function change<Result>(work: (now: number) => Result): Result {
    const now = wallClock();
    return database.transaction(() => {
      sweep(now);
      return work(now);
    });
  }

  function cooldownOf(key: string, now: number): Cooldown | undefined {
    const row = database.get("SELECT until, reason, status FROM cooldown WHERE key = ? AND until > ?", key, now);
    if (row === undefined) return undefined;
    return { ms: Number(row["until"]) - now, reason: String(row["reason"]), status: optionalNumber(row["status"]) };
  }

  return {
    read(ids) {
      const now = wallClock();
      return database.snapshot(() => ids.map((id) => readState(database, id, now)));
    },

    begin: (id) => change((now) => beginAttempt(database, id, owner, now)),
    end: (id, end) => change((now) => endAttempt(database, id, owner, end, now)),

    fail: (id, windowMs) => change((now) => Number(database.get(countFailure, id, now + windowMs, now)?.["count"])),
    forgive: (id) =>
      change(() => {
        database.run("DELETE FROM failures WHERE id = ?", id);
      }),

    cool(key, { ms, reason, status }) {
      // Written so that a NaN is none, too.
      if (!(ms > 0)) return;
      change((now) => {
        database.run(coolDown, key, now + ms, reason, status ?? null);
      });
    },
    warm: (key) =>
      change(() => {
        database.run("DELETE FROM cooldown WHERE key = ?", key);
      }),
    cooldowns(keys) {
      const now = wallClock();
      return database.snapshot(() => keys.map((key) => cooldownOf(key, now)));
    },

    bound: (session) =>
      database.read(() => {
        const row = database.get("SELECT deployment FROM session WHERE session = ? AND until > ?", session, wallClock());
        return row === undefined ? undefined : String(row["deployment"]);
      }),
    bind: (session, id, ttlMs) =>
      change((now) => {
        database.run(bindSession, session, id, now + ttlMs);
      }),

    async close() {
      if (isClosed) return;
      isClosed = true;
      try {
        database.transaction(() => database.run("DELETE FROM in_flight WHERE owner = ?", owner));
      } finally {
        await close();
      }
    },
  };
}
