/** Limits of all processes that share a file. */

import type { CounterState, Demand, LimitStore, Reservation } from "../../sdk/limits.ts";
import {
  type Counter,
  type Taken,
  addTo,
  countSlots,
  findCounter,
  hold,
  isHeld,
  letGo,
  makeCounter,
  prolong,
  takeSlot,
} from "./counters.ts";
import type { Database } from "./database.ts";
import { createSweeper } from "./sweeper.ts";
import { wholeNumber } from "./values.ts";

/** Beyond its lease, a reservation waits so long for whoever settles it after all. */
const keptMs = 24 * 3_600_000;

/** @param wallClock ms since 1970 */
export function createSqliteLimits(database: Database, wallClock: () => number, close: () => Promise<void>): LimitStore {
  const sweep = createSweeper(database, [
    { table: "counter", key: "number", at: "ends_at" },
    { table: "slot", key: "key, reservation", at: "lease_ends_at", keptMs },
    { table: "reservation", key: "id", at: "lease_ends_at", keptMs },
  ]);

  function current(demand: Demand, now: number): Counter | undefined {
    const counter = findCounter(database, demand.key, now);
    return demand.kind === "budget" && counter?.period !== demand.period ? undefined : counter;
  }

  function stateOf(demand: Demand, now: number): CounterState {
    const { key } = demand;
    if (demand.kind === "slot") return { key, used: countSlots(database, key, now), resetsInMs: undefined };
    const counter = current(demand, now);
    if (counter !== undefined) return { key, used: counter.used, resetsInMs: leftOf(counter, now) };
    return demand.kind === "budget" ? { key, used: demand.spent, resetsInMs: demand.endsInMs } : { key, used: 0, resetsInMs: undefined };
  }

  /** @returns the first demand that cannot be met */
  function refusalOf(demands: readonly Demand[], now: number): (Reservation & { readonly isGranted: false }) | undefined {
    const needed = new Map<string, number>();
    for (const [index, demand] of demands.entries()) {
      const state = stateOf(demand, now);
      const before = needed.get(demand.key) ?? 0;
      const used = state.used + before;
      const amount = amountOf(demand);
      needed.set(demand.key, before + amount);
      const isFull = demand.kind === "budget" && used >= demand.limit;
      if (isFull || used + amount > demand.limit) return { isGranted: false, index, state };
    }
    return undefined;
  }

  function take(id: string, demand: Demand, now: number, leaseMs: number): Taken {
    const amount = amountOf(demand);
    if (demand.kind === "slot") {
      takeSlot(database, demand.key, id, now + leaseMs);
      return { number: undefined, amount };
    }
    const number = current(demand, now)?.number ?? makeCounter(database, demand.key, beginningOf(demand, now));
    addTo(database, number, amount, now);
    return { number, amount };
  }

  /** Adds to what is there still of what was taken. */
  function end(id: string, changeOf: (amount: number, index: number) => number): void {
    const now = wallClock();
    database.transaction(() => {
      for (const [index, { number, amount }] of letGo(database, id).entries())
        if (number !== undefined) addTo(database, number, changeOf(amount, index), now);
    });
  }

  return {
    reserve(id, demands, leaseMs): Reservation {
      const now = wallClock();
      return database.transaction((): Reservation => {
        sweep(now);
        if (!isHeld(database, id)) {
          const refusal = refusalOf(demands, now);
          if (refusal !== undefined) return refusal;
          const taken = demands.map((demand) => take(id, demand, now, leaseMs));
          hold(database, id, taken, now + leaseMs);
        }
        return { isGranted: true, states: demands.map((demand) => stateOf(demand, now)) };
      });
    },

    renew(ids, leaseMs) {
      const leaseEndsAt = wallClock() + leaseMs;
      database.transaction(() => {
        for (const id of ids) prolong(database, id, leaseEndsAt);
      });
    },

    settle: (id, actual) => end(id, (amount, index) => wholeNumber(actual[index] ?? amount) - amount),
    release: (id) => end(id, (amount) => -amount),

    add(key, period, amount) {
      const now = wallClock();
      database.transaction(() => {
        const counter = findCounter(database, key, now);
        if (counter?.period === period) addTo(database, counter.number, amount, now);
      });
    },

    read(keys) {
      const now = wallClock();
      return database.snapshot(() =>
        keys.map((key) => {
          const counter = findCounter(database, key, now);
          if (counter === undefined) return { key, used: countSlots(database, key, now), resetsInMs: undefined };
          return { key, used: counter.used, resetsInMs: leftOf(counter, now) };
        }),
      );
    },

    reset: (keys) =>
      database.transaction(() => {
        for (const key of keys) database.run("DELETE FROM counter WHERE key = ?", key);
      }),

    close,
  };
}

function amountOf(demand: Demand): number {
  return demand.kind === "slot" ? 1 : wholeNumber(demand.amount);
}

function beginningOf(demand: Exclude<Demand, { readonly kind: "slot" }>, now: number): Omit<Counter, "number"> {
  if (demand.kind === "window") return { used: 0, endsAt: now + demand.windowMs, period: undefined };
  return { used: demand.spent, endsAt: demand.endsInMs === undefined ? undefined : now + demand.endsInMs, period: demand.period };
}

function leftOf({ endsAt }: Counter, now: number): number | undefined {
  return endsAt === undefined ? undefined : endsAt - now;
}
