/** The ledger of one process: nothing waits, and nothing outlives the process. It grows until somebody prunes it. */

import type { AttemptRecord, AttemptSettlement, ExchangeRecord, LedgerStore, LedgerWrite } from "../../sdk/ledger.ts";
import { addUp, matches } from "./ledger-totals.ts";

export function createMemoryLedger(): LedgerStore {
  const exchanges = new Map<string, ExchangeRecord>();
  /** By exchange, then by number. */
  const attempts = new Map<string, Map<number, AttemptRecord>>();

  function apply(write: LedgerWrite): void {
    switch (write.type) {
      case "exchange":
        if (!exchanges.has(write.row.id)) exchanges.set(write.row.id, { ...write.row, end: undefined });
        return;
      case "attempt": {
        const { exchangeId, number } = write.row;
        const ofExchange = attempts.get(exchangeId) ?? new Map<number, AttemptRecord>();
        attempts.set(exchangeId, ofExchange);
        if (!ofExchange.has(number)) ofExchange.set(number, { ...write.row, state: "reserved", settlement: undefined });
        return;
      }
      case "settle":
        settle(write.row);
        return;
      case "end": {
        const exchange = exchanges.get(write.row.id);
        if (exchange !== undefined && exchange.end === undefined) exchanges.set(exchange.id, { ...exchange, end: write.row });
      }
    }
  }

  function settle(settlement: AttemptSettlement): AttemptRecord | undefined {
    const { exchangeId, number, state } = settlement;
    const attempt = attempts.get(exchangeId)?.get(number);
    if (attempt === undefined || attempt.state !== "reserved") return undefined;
    const settled = { ...attempt, state, settlement };
    attempts.get(exchangeId)?.set(number, settled);
    return settled;
  }

  const attemptsOf = (exchangeId: string): readonly AttemptRecord[] =>
    [...(attempts.get(exchangeId)?.values() ?? [])].toSorted((a, b) => a.number - b.number);

  return {
    write(writes) {
      // None of them can fail, so all of them are written.
      for (const write of writes) apply(write);
    },

    recover(alive, now) {
      const living = new Set(alive);
      const lost = [...attempts.keys()]
        .flatMap(attemptsOf)
        .filter(({ state, instance }) => state === "reserved" && !living.has(instance))
        .toSorted((a, b) => a.startedAt - b.startedAt || compare(a.exchangeId, b.exchangeId) || a.number - b.number);
      const recovered = lost.flatMap(
        ({ exchangeId, number, estimate }) =>
          settle({ exchangeId, number, state: "unknown", endedAt: now, cost: estimate, isEstimate: true }) ?? [],
      );
      for (const { id, instance, startedAt, end } of exchanges.values())
        if (end === undefined && !living.has(instance)) {
          const cost = sum(attemptsOf(id).map(({ settlement }) => settlement?.cost ?? null));
          const ms = Math.max(0, now - startedAt);
          const row = { id, endedAt: now, outcome: "unknown", status: 0, isCacheHit: false, ms, cost, costAsAsked: null };
          apply({ type: "end", row });
        }
      return recovered;
    },

    exchanges(filter, limit, before) {
      const last = before === undefined ? undefined : exchanges.get(before);
      // Older than what is not there is nothing.
      if (before !== undefined && last === undefined) return [];
      return [...exchanges.values()]
        .filter((exchange) => matches(exchange, filter) && (last === undefined || newestFirst(last, exchange) < 0))
        .toSorted(newestFirst)
        .slice(0, limit);
    },

    attempts: attemptsOf,

    totals: (by, filter) =>
      addUp(
        [...exchanges.values()].filter((exchange) => matches(exchange, filter)),
        by,
      ),

    prune(before) {
      let count = 0;
      for (const { id, startedAt } of exchanges.values())
        if (startedAt < before) {
          exchanges.delete(id);
          attempts.delete(id);
          count++;
        }
      return count;
    },

    close: async () => undefined,
  };
}

function newestFirst(a: ExchangeRecord, b: ExchangeRecord): number {
  return b.startedAt - a.startedAt || compare(b.id, a.id);
}

function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

/** Null as soon as one of them is not known. */
function sum(costs: readonly (number | null)[]): number | null {
  return costs.reduce<number | null>((total, cost) => (total === null || cost === null ? null : total + cost), 0);
}
