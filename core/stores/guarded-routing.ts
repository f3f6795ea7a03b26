/**
 * Cooldowns, sessions and counts on a server that may be away: then this process keeps its own. What it put out of use and bound itself it knows all
 * the time, so that neither a server that goes nor one that comes back empty makes it forget. An attempt ends where it began.
 */

import type { AttemptEnd, Awaitable, RoutingStore } from "../../sdk/routing-store.ts";
import { type Breaker, NotAskedError, createBreaker } from "./breaker.ts";
import { createLateCalls } from "./late-calls.ts";

export interface RoutingGuardOptions {
  /** Told once when the server goes away, and once when it is back. */
  readonly onChange: (isAway: boolean) => void;
  /** Between two looks at a server that is away, and between two tries of what it did not take, ms. Default: 1000. */
  readonly retryMs?: number | undefined;
  /** How many calls may wait for the server. Default: 10,000. */
  readonly maxWaiting?: number | undefined;
}

export interface GuardedRouting extends RoutingStore {
  readonly isAway: boolean;
  /** Ends and cooldowns that the server has not taken yet. */
  readonly waiting: number;
}

const failuresInRow = 5;
const maxTries = 5;
/** Nobody's deployment. */
const probeId = "probe";
/** An end that comes late belongs to a minute that is over. */
const lateEnd: AttemptEnd = { outcome: "none", tokens: 0, latency: undefined, firstContent: undefined };

/**
 * No call rejects, and none takes longer than one of the server's.
 *
 * @param shared its methods reject while it is away; it is closed by whoever opened it, `local` here
 */
export function guardRouting(
  shared: RoutingStore,
  local: RoutingStore,
  { onChange, retryMs = 1000, maxWaiting = 10_000 }: RoutingGuardOptions,
): GuardedRouting {
  /** How many attempts of each deployment were begun here, and go on. */
  const begunHere = new Map<string, number>();
  let lateEnds = 0;
  const late = createLateCalls({ breaker: () => breaker, maxWaiting, retryMs });
  const breaker: Breaker = createBreaker({
    failures: failuresInRow,
    probeEveryMs: retryMs,
    probe: () => shared.read([probeId]),
    onChange(isAway) {
      // Before anybody else asks: what ended meanwhile is under way no more, and what is out of use is not to be used.
      if (!isAway) void late.drain();
      onChange(isAway);
    },
  });

  async function either<Result>(ask: (store: RoutingStore) => Awaitable<Result>): Promise<Result> {
    try {
      return await breaker.attempt(() => ask(shared));
    } catch {
      return ask(local);
    }
  }

  /** @returns whether the server has taken it, too */
  async function both(tell: (store: RoutingStore) => Awaitable<void>): Promise<boolean> {
    await tell(local);
    try {
      await breaker.attempt(() => tell(shared));
      return true;
    } catch {
      return false;
    }
  }

  /** Nobody waits for the server: what is asked of it next is answered after this. */
  function soon(tell: (store: RoutingStore) => Awaitable<void>): Awaitable<void> {
    breaker.attempt(() => tell(shared)).catch(() => undefined);
    return tell(local);
  }

  /** One that arrives twice, or without a beginning, is put right as soon as nothing is under way: a count never goes below 0. */
  function endLater(id: string): void {
    late.add(`end ${(lateEnds += 1)}`, () => shared.end(id, lateEnd), maxTries);
  }

  /** What is left of it by then; nothing where it is in use again. */
  async function coolLater(key: string): Promise<void> {
    const [left] = await local.cooldowns([key]);
    if (left !== undefined) await shared.cool(key, left);
  }

  return {
    read: (ids) => either((store) => store.read(ids)),
    async begin(id) {
      try {
        await breaker.attempt(() => shared.begin(id));
      } catch (error) {
        // It may have been counted by a server whose answer did not arrive.
        if (!(error instanceof NotAskedError)) endLater(id);
        begunHere.set(id, (begunHere.get(id) ?? 0) + 1);
        await local.begin(id);
      }
    },
    async end(id, end) {
      const here = begunHere.get(id);
      if (here !== undefined) {
        if (here > 1) begunHere.set(id, here - 1);
        else begunHere.delete(id);
        return local.end(id, end);
      }
      try {
        await breaker.attempt(() => shared.end(id, end));
      } catch {
        endLater(id);
      }
    },
    fail: (id, windowMs) => either((store) => store.fail(id, windowMs)),
    forgive: (id) => soon((store) => store.forgive(id)),
    async cool(key, cooldown) {
      if (!(await both((store) => store.cool(key, cooldown)))) late.add(`cool ${key}`, () => coolLater(key), maxTries);
    },
    // On a server that is away it runs out by itself: by the time it is back, another process may have had a reason for it.
    warm: async (key) => void (await both((store) => store.warm(key))),
    cooldowns: (keys) => either((store) => store.cooldowns(keys)),
    // A server that came back empty does not know it.
    bound: async (session) => (await either((store) => store.bound(session))) ?? local.bound(session),
    bind: (session, id, ttlMs) => soon((store) => store.bind(session, id, ttlMs)),
    async close() {
      breaker.close();
      await late.drain();
      late.close();
      await local.close();
    },
    get isAway() {
      return breaker.isAway;
    },
    get waiting() {
      return late.waiting;
    },
  };
}
