/** Takes away what is over, without a timer: a little at a time, by whoever writes. */

import type { Database, Value } from "./database.ts";

const everyMs = 60_000;
const rowsAtOnce = 100;

export interface Over {
  readonly table: string;
  /** What tells its rows apart. */
  readonly key: string;
  /** When a row is over; has an index. */
  readonly at: string;
  /** For so long it is kept beyond that. */
  readonly keptMs?: number;
}

/**
 * @returns to be called with the time, within a transaction. Once a minute it looks for what is over, and as long as there is more than it takes at
 *   once, with every call
 */
export function createSweeper(database: Database, kinds: readonly Over[]): (now: number) => void {
  let nextAt = Number.NEGATIVE_INFINITY;
  const statements = kinds.map(({ table, key, at, keptMs = 0 }) => ({
    sql: `DELETE FROM ${table} WHERE (${key}) IN (SELECT ${key} FROM ${table} WHERE ${at} <= ? LIMIT ${rowsAtOnce})`,
    keptMs,
  }));
  return (now) => {
    // A clock that was put back must not stop it for years.
    if (now < nextAt && now > nextAt - 2 * everyMs) return;
    nextAt = now + everyMs;
    for (const { sql, keptMs } of statements) {
      const limit: Value = now - keptMs;
      if (database.run(sql, limit) === rowsAtOnce) nextAt = now;
    }
  };
}
