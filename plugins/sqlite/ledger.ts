/** What was spent, in a file. */

import type { AttemptRecord, LedgerStore, LedgerWrite } from "../../sdk/ledger.ts";
import type { Database } from "./database.ts";
import { exchangesQuery, readTotal, totalsQuery } from "./ledger-queries.ts";
import {
  attemptValues,
  endExchange,
  endValues,
  exchangeValues,
  insertAttempt,
  insertExchange,
  insertTag,
  readAttempt,
  readExchange,
  settleAttempt,
  settlementValues,
} from "./ledger-rows.ts";

/** So many exchanges are pruned in one go; others write in between. */
const prunedAtOnce = 500;

const attemptsOf = "SELECT * FROM attempt WHERE exchange_id = ? ORDER BY number";
const vanished = "instance NOT IN (SELECT value FROM json_each(?))";
const lostAttempts = `SELECT * FROM attempt WHERE state = 'reserved' AND ${vanished} ORDER BY exchange_id, number`;
const loseAttempts = `UPDATE attempt SET state = 'unknown', ended_at = ?, cost = estimate, is_estimate = 1 WHERE state = 'reserved' AND ${vanished}`;
/** One that is not known, or not known yet, makes the whole unknown. */
const costOfAttempts = `SELECT CASE WHEN count(*) = count(cost) THEN coalesce(sum(cost), 0) END FROM attempt WHERE exchange_id = exchange.id`;
const endLostExchanges = `UPDATE exchange SET ended_at = ?1, outcome = 'unknown', status = 0, is_cache_hit = 0, ms = max(?1 - started_at, 0),
  cost = (${costOfAttempts}), cost_check = -(${costOfAttempts}) WHERE ended_at IS NULL AND instance NOT IN (SELECT value FROM json_each(?2))`;

export function createSqliteLedger(database: Database, close: () => Promise<void>): LedgerStore {
  function writeOne({ type, row }: LedgerWrite): void {
    switch (type) {
      case "exchange":
        // Tags of one that was there already are there, too.
        if (database.run(insertExchange, ...exchangeValues(row)) > 0) for (const tag of row.tags) database.run(insertTag, tag, row.id);
        return;
      case "attempt":
        database.run(insertAttempt, ...attemptValues(row));
        return;
      case "settle":
        database.run(settleAttempt, ...settlementValues(row));
        return;
      case "end":
        database.run(endExchange, ...endValues(row));
    }
  }

  /** @returns how many exchanges */
  function pruneSome(before: number): number {
    return database.transaction(() => {
      const rows = database.all("SELECT number, id FROM exchange WHERE started_at < ? LIMIT ?", before, prunedAtOnce);
      for (const row of rows) {
        database.run("DELETE FROM attempt WHERE exchange_id = ?", row["id"] ?? null);
        database.run("DELETE FROM exchange_tag WHERE exchange = ?", row["number"] ?? null);
        database.run("DELETE FROM exchange WHERE number = ?", row["number"] ?? null);
      }
      return rows.length;
    });
  }

  return {
    write: (writes) =>
      database.transaction(() => {
        for (const write of writes) writeOne(write);
      }),

    recover: (alive, now) =>
      database.transaction(() => {
        const living = JSON.stringify(alive);
        const lost = database.all(lostAttempts, living).map(readAttempt);
        database.run(loseAttempts, now, living);
        database.run(endLostExchanges, now, living);
        return lost.map((attempt) => unknownOf(attempt, now));
      }),

    exchanges: (filter, limit, before) =>
      database.read(() => {
        const { sql, values } = exchangesQuery(filter, limit, before);
        return database.allOnce(sql, ...values).map(readExchange);
      }),

    attempts: (exchangeId) => database.read(() => database.all(attemptsOf, exchangeId).map(readAttempt)),

    totals: (by, filter) =>
      database.read(() => {
        const { sql, values } = totalsQuery(by, filter);
        return database.allOnce(sql, ...values).map((row) => readTotal(row, by.length));
      }),

    prune(before) {
      let count = 0;
      for (let pruned = prunedAtOnce; pruned === prunedAtOnce; count += pruned) pruned = pruneSome(before);
      return count;
    },

    close,
  };
}

function unknownOf(attempt: AttemptRecord, endedAt: number): AttemptRecord {
  const { exchangeId, number, estimate } = attempt;
  return { ...attempt, state: "unknown", settlement: { exchangeId, number, state: "unknown", endedAt, cost: estimate, isEstimate: true } };
}
