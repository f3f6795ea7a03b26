/** Ledger, keys, limits and cache of one process, gone with it: for trials, for tests, and for who wants nothing kept. */

import type { CacheStore } from "../../sdk/cache.ts";
import type { KeyStore } from "../../sdk/keys.ts";
import type { LedgerStore } from "../../sdk/ledger.ts";
import type { LimitStore } from "../../sdk/limits.ts";
import type { Engine } from "../../sdk/stores.ts";
import { createMemoryCache } from "./cache.ts";
import { createMemoryKeys } from "./keys.ts";
import { createMemoryLedger } from "./ledger.ts";
import { createMemoryLimits } from "./limits.ts";

export interface MemoryOptions {
  /** Monotonic ms, for limits. */
  readonly now: () => number;
  /** ms since 1970, for the age of replies. */
  readonly wallClock: () => number;
  /** Default: 64 MB. */
  readonly maxCacheBytes?: number | undefined;
}

export interface MemoryEngine extends Engine {
  readonly ledger: LedgerStore;
  readonly keys: KeyStore;
  readonly limits: LimitStore;
  readonly cache: CacheStore;
}

const usualCacheBytes = 64 * 1024 * 1024;

export function openMemory({ now, wallClock, maxCacheBytes = usualCacheBytes }: MemoryOptions): MemoryEngine {
  const cache = createMemoryCache({ wallClock, maxBytes: maxCacheBytes });
  return {
    name: "memory",
    ledger: createMemoryLedger(),
    keys: createMemoryKeys(),
    limits: createMemoryLimits(now),
    cache,
    ping: async () => undefined,
    close: async () => cache.close(),
  };
}
