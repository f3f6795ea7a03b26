/** Cooldowns, sessions and counts on a server that may be away: then this process keeps its own. No call rejects. */

import type { Awaitable, RoutingStore } from "../../sdk/routing-store.ts";
import { createBreaker } from "./breaker.ts";

export interface RoutingGuardOptions {
  /** Told once when the server goes away, and once when it is back. */
  readonly onChange: (isAway: boolean) => void;
  /** Between two looks at a server that is away, ms. Default: 1000. */
  readonly retryMs?: number | undefined;
}

export interface GuardedRouting extends RoutingStore {
  readonly isAway: boolean;
}

const failuresInRow = 5;

/** @param shared its methods reject while it is away; it is closed by whoever opened it, `local` here */
export function guardRouting(shared: RoutingStore, local: RoutingStore, { onChange, retryMs = 1000 }: RoutingGuardOptions): GuardedRouting {
  const breaker = createBreaker({ failures: failuresInRow, probeEveryMs: retryMs, probe: () => shared.read([]), onChange });

  async function either<Result>(ask: (store: RoutingStore) => Awaitable<Result>): Promise<Result> {
    try {
      return await breaker.attempt(() => ask(shared));
    } catch {
      return ask(local);
    }
  }

  return {
    read: (ids) => either((store) => store.read(ids)),
    begin: (id) => either((store) => store.begin(id)),
    end: (id, end) => either((store) => store.end(id, end)),
    fail: (id, windowMs) => either((store) => store.fail(id, windowMs)),
    forgive: (id) => either((store) => store.forgive(id)),
    cool: (key, cooldown) => either((store) => store.cool(key, cooldown)),
    warm: (key) => either((store) => store.warm(key)),
    cooldowns: (keys) => either((store) => store.cooldowns(keys)),
    bound: (session) => either((store) => store.bound(session)),
    bind: (session, id, ttlMs) => either((store) => store.bind(session, id, ttlMs)),
    async close() {
      breaker.close();
      await local.close();
    },
    get isAway() {
      return breaker.isAway;
    },
  };
}
