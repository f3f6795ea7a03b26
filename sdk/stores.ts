/** Where ledger, keys, limits, cache and routing state are kept: an engine brings the stores it is good at. */

import type { CacheStore } from "./cache.ts";
import type { KeyStore } from "./keys.ts";
import type { LedgerStore } from "./ledger.ts";
import type { LimitStore } from "./limits.ts";
import type { RoutingStore } from "./routing-store.ts";

export interface Stores {
  readonly ledger?: LedgerStore;
  readonly keys?: KeyStore;
  readonly limits?: LimitStore;
  readonly cache?: CacheStore;
  readonly routing?: RoutingStore;
}

export interface Engine extends Stores {
  /** `sqlite`, `postgres`, `redis`, `memory`. */
  readonly name: string;
  /** Rejects with what is wrong; never names a password. */
  ping(): Promise<void>;
  /** Closes the stores, too. */
  close(): Promise<void>;
}
