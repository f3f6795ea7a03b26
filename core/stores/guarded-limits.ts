/**
 * Limits on a server that may be away. Then, by policy, this process counts for itself (`fail_open`: every process lets in as much as all of them
 * together should), or nothing is let in (`fail_closed`). A reservation ends where it was made.
 */

import type { CounterState, Demand, LimitStore, Reservation } from "../../sdk/limits.ts";
import type { Awaitable } from "../../sdk/routing-store.ts";
import { type Breaker, NotAskedError, createBreaker } from "./breaker.ts";
import { createLateCalls } from "./late-calls.ts";

export interface GuardOptions {
  readonly policy: "fail_open" | "fail_closed";
  /** Told once when the server goes away, and once when it is back. */
  readonly onChange: (isAway: boolean) => void;
  /** Between two looks at a server that is away, and between two tries of what it did not take, ms. Default: 1000. */
  readonly retryMs?: number | undefined;
  /** How many ends of reservations may wait for the server. Default: 10,000. */
  readonly maxWaiting?: number | undefined;
}

export interface GuardedLimits extends LimitStore {
  reserve(id: string, demands: readonly Demand[], leaseMs: number): Promise<Reservation>;
  read(keys: readonly string[]): Promise<readonly CounterState[]>;
  readonly isAway: boolean;
  /** Ends of reservations that the server has not taken yet. */
  readonly waiting: number;
  /** Ends and bookings that it will never take. */
  readonly dropped: number;
}

/** Shared limits could not be asked, and must not be done without. Its cause is what they failed with. */
export class LimitsAwayError extends Error {
  override readonly name = "LimitsAwayError";

  constructor(error: unknown) {
    super("the server that counts limits is away", { cause: error instanceof NotAskedError ? error.cause : error });
  }
}

const failuresInRow = 5;
const maxTries = 5;
/** Nobody's counter. */
const probeKey = "probe";

/**
 * Nothing but `reserve` and `read` under `fail_closed`, and `reset`, rejects because the server is away; those with LimitsAwayError.
 *
 * @param shared its methods reject while it is away; it ends up closed, as does `local`
 */
export function guardLimits(
  shared: LimitStore,
  local: LimitStore,
  { policy, onChange, retryMs = 1000, maxWaiting = 10_000 }: GuardOptions,
): GuardedLimits {
  /** Reservations of this process that were made here. */
  const made = new Set<string>();
  let bookings = 0;
  const late = createLateCalls({ breaker: () => breaker, maxWaiting, retryMs });
  const breaker: Breaker = createBreaker({
    failures: failuresInRow,
    probeEveryMs: retryMs,
    probe: async () => shared.read([probeKey]),
    onChange(isAway) {
      // Before anybody else asks: what has ended makes room.
      if (!isAway) void late.drain();
      onChange(isAway);
    },
  });

  async function reserveHere(id: string, demands: readonly Demand[], leaseMs: number): Promise<Reservation> {
    const reservation = await local.reserve(id, demands, leaseMs);
    if (reservation.isGranted) made.add(id);
    return reservation;
  }

  async function end(id: string, where: (store: LimitStore) => Awaitable<void>): Promise<void> {
    if (made.delete(id)) return where(local);
    // Only the first end counts, also while it waits.
    if (late.has(endOf(id))) return;
    try {
      await breaker.attempt(() => where(shared));
    } catch {
      // If it was done nevertheless, the next one does nothing.
      late.add(endOf(id), () => where(shared), maxTries);
    }
  }

  return {
    async reserve(id, demands, leaseMs) {
      if (made.has(id)) return local.reserve(id, demands, leaseMs);
      late.forget(endOf(id));
      try {
        return await breaker.attempt(() => shared.reserve(id, demands, leaseMs));
      } catch (error) {
        // It may have been taken by a server whose answer did not arrive.
        if (!(error instanceof NotAskedError)) late.add(endOf(id), () => shared.release(id), maxTries);
        if (policy === "fail_closed") throw new LimitsAwayError(error);
        return reserveHere(id, demands, leaseMs);
      }
    },
    async renew(ids, leaseMs) {
      const here = ids.filter((id) => made.has(id));
      if (here.length > 0) await local.renew(here, leaseMs);
      const there = ids.filter((id) => !made.has(id));
      // One that fails is followed by the next one; a server that is away forgets no more than slots.
      if (there.length > 0) await breaker.attempt(() => shared.renew(there, leaseMs)).catch(() => undefined);
    },
    settle: async (id, actual) => end(id, (store) => store.settle(id, actual)),
    release: async (id) => end(id, (store) => store.release(id)),
    async add(key, period, amount) {
      try {
        await breaker.attempt(() => shared.add(key, period, amount));
      } catch (error) {
        if (policy === "fail_open") await local.add(key, period, amount);
        // What may have been booked already must not be booked twice.
        if (!(error instanceof NotAskedError)) late.drop();
        else late.add(`booking ${(bookings += 1)}`, () => shared.add(key, period, amount), 1);
      }
    },
    async read(keys) {
      try {
        return await breaker.attempt(() => shared.read(keys));
      } catch (error) {
        if (policy === "fail_closed") throw new LimitsAwayError(error);
        return local.read(keys);
      }
    },
    async reset(keys) {
      await local.reset(keys);
      try {
        await breaker.attempt(() => shared.reset(keys));
      } catch (error) {
        throw new LimitsAwayError(error);
      }
    },
    async close() {
      breaker.close();
      await late.drain();
      late.close();
      await Promise.all([shared.close(), local.close()]);
    },
    get isAway() {
      return breaker.isAway;
    },
    get waiting() {
      return late.waiting;
    },
    get dropped() {
      return late.dropped;
    },
  };
}

/** Its name among what is done late. */
function endOf(id: string): string {
  return `end ${id}`;
}
