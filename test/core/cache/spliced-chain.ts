/** The chain of a proxy under test, with a cache of the test's own. */

import type { Middleware } from "koa";

import { CacheFigures } from "../../../core/cache/figures.ts";
import { Flights } from "../../../core/cache/flights.ts";
import { type CacheServices, type Landed, cacheStage } from "../../../core/stages/cache.ts";
import { openMemory } from "../../../plugins/memory/index.ts";
import type { CacheStore } from "../../../sdk/cache.ts";

export type OwnServices = Partial<CacheServices>;

/** Its clock stands still until a test sets it. */
export interface TestCache {
  readonly services: OwnServices;
  readonly store: CacheStore;
  readonly figures: CacheFigures;
  readonly clock: {
    /** ms since 1970. */
    now: number;
  };
}

export function createTestCache(open: (wallClock: () => number) => CacheStore = inMemory): TestCache {
  const clock = { now: 1_000_000 };
  const wallClock = (): number => clock.now;
  const store = open(wallClock);
  const figures = new CacheFigures();
  return {
    services: { stores: { cache: store }, flights: new Flights<Landed>(), cacheFigures: figures, wallClock },
    store,
    figures,
    clock,
  };
}

function inMemory(wallClock: () => number): CacheStore {
  return openMemory({ now: () => 0, wallClock }).cache;
}

/** The stage stands before the call, in place of one that stands there already. */
export function withCache(chain: readonly Middleware[], services: CacheServices): readonly Middleware[] {
  const others = chain.filter(({ name }) => name !== "cacheStage");
  return [...others.slice(0, -1), cacheStage(services), ...others.slice(-1)];
}
