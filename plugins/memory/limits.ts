/** Limits of one process. */

import type { BudgetDemand, CounterState, Demand, LimitStore, Reservation } from "../../sdk/limits.ts";

interface Counter {
  used: number;
  /** Undefined: never over. */
  readonly endsAt: number | undefined;
  /** Of a budget. */
  readonly period: string | undefined;
}

interface Taken {
  readonly demand: Demand;
  /** Of a slot there is none: its holders are counted. */
  readonly counter: Counter | undefined;
  readonly amount: number;
}

interface Held {
  readonly taken: readonly Taken[];
  leaseEndsAt: number;
}

/** @param now monotonic ms */
export function createMemoryLimits(now: () => number): LimitStore {
  const counters = new Map<string, Counter>();
  /** By key of the slots, the reservations that have one. */
  const holders = new Map<string, Set<string>>();
  const held = new Map<string, Held>();

  function counterOf(key: string, time: number): Counter | undefined {
    const counter = counters.get(key);
    if (counter?.endsAt === undefined || counter.endsAt > time) return counter;
    counters.delete(key);
    return undefined;
  }

  /** Those whose lease is over give their slot back, and keep their reservation for whoever settles it after all. */
  function slotsOf(key: string, time: number): number {
    const ids = holders.get(key);
    if (ids === undefined) return 0;
    for (const id of ids) if ((held.get(id)?.leaseEndsAt ?? 0) <= time) ids.delete(id);
    if (ids.size === 0) holders.delete(key);
    return ids.size;
  }

  function current(demand: Demand, time: number): Counter | undefined {
    const counter = counterOf(demand.key, time);
    return demand.kind === "budget" && counter?.period !== demand.period ? undefined : counter;
  }

  function usedBy(demand: Demand, time: number): number {
    if (demand.kind === "slot") return slotsOf(demand.key, time);
    return current(demand, time)?.used ?? (demand.kind === "budget" ? demand.spent : 0);
  }

  function stateOf(demand: Demand, time: number): CounterState {
    const { key } = demand;
    if (demand.kind === "slot") return { key, used: slotsOf(key, time), resetsInMs: undefined };
    const counter = current(demand, time);
    const endsInMs = demand.kind === "budget" ? demand.endsInMs : undefined;
    return { key, used: usedBy(demand, time), resetsInMs: counter === undefined ? endsInMs : leftOf(counter, time) };
  }

  function take(id: string, demand: Demand, time: number): Taken {
    const { key } = demand;
    if (demand.kind === "slot") {
      const ids = holders.get(key) ?? new Set();
      holders.set(key, ids.add(id));
      return { demand, counter: undefined, amount: 1 };
    }
    let counter = current(demand, time);
    if (counter === undefined) {
      counter = demand.kind === "budget" ? newBudget(demand, time) : { used: 0, endsAt: time + demand.windowMs, period: undefined };
      counters.set(key, counter);
    }
    counter.used += demand.amount;
    return { demand, counter, amount: demand.amount };
  }

  /** Its slots are free. @returns what it had taken of counters that are still there */
  function end(id: string): readonly Taken[] {
    const reservation = held.get(id);
    if (reservation === undefined) return [];
    held.delete(id);
    for (const { demand } of reservation.taken) {
      if (demand.kind !== "slot") continue;
      const ids = holders.get(demand.key);
      ids?.delete(id);
      if (ids?.size === 0) holders.delete(demand.key);
    }
    return reservation.taken;
  }

  return {
    reserve(id, demands, leaseMs): Reservation {
      const time = now();
      if (held.has(id)) return { isGranted: true, states: demands.map((demand) => stateOf(demand, time)) };
      const needed = new Map<string, number>();
      for (const [index, demand] of demands.entries()) {
        const used = usedBy(demand, time) + (needed.get(demand.key) ?? 0);
        const amount = demand.kind === "slot" ? 1 : demand.amount;
        needed.set(demand.key, (needed.get(demand.key) ?? 0) + amount);
        const isFull = demand.kind === "budget" && used >= demand.limit;
        if (isFull || used + amount > demand.limit) return { isGranted: false, index, state: stateOf(demand, time) };
      }
      held.set(id, { taken: [], leaseEndsAt: time + leaseMs });
      held.set(id, { taken: demands.map((demand) => take(id, demand, time)), leaseEndsAt: time + leaseMs });
      return { isGranted: true, states: demands.map((demand) => stateOf(demand, time)) };
    },
    renew(ids, leaseMs) {
      const leaseEndsAt = now() + leaseMs;
      for (const id of ids) {
        const reservation = held.get(id);
        if (reservation !== undefined) reservation.leaseEndsAt = leaseEndsAt;
      }
    },
    settle(id, actual) {
      for (const [index, { counter, amount }] of end(id).entries())
        if (counter !== undefined) counter.used += (actual[index] ?? amount) - amount;
    },
    release(id) {
      for (const { counter, amount } of end(id)) if (counter !== undefined) counter.used -= amount;
    },
    add(key, period, amount) {
      const counter = counterOf(key, now());
      if (counter?.period === period) counter.used += amount;
    },
    read(keys) {
      const time = now();
      return keys.map((key) => {
        const counter = counterOf(key, time);
        return { key, used: counter?.used ?? slotsOf(key, time), resetsInMs: counter === undefined ? undefined : leftOf(counter, time) };
      });
    },
    reset(keys) {
      for (const key of keys) counters.delete(key);
    },
    close: async () => undefined,
  };
}

function newBudget({ spent, period, endsInMs }: BudgetDemand, time: number): Counter {
  return { used: spent, endsAt: endsInMs === undefined ? undefined : time + endsInMs, period };
}

function leftOf({ endsAt }: Counter, time: number): number | undefined {
  return endsAt === undefined ? undefined : endsAt - time;
}
