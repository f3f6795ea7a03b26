/** The stores of this process, whichever engines they are of. */

import type { CacheStore } from "../../sdk/cache.ts";
import type { KeyStore } from "../../sdk/keys.ts";
import type { LedgerStore } from "../../sdk/ledger.ts";
import type { LimitStore } from "../../sdk/limits.ts";
import type { PresenceStore } from "../../sdk/presence.ts";
import type { RoutingStore } from "../../sdk/routing-store.ts";

export interface OpenedStores {
  readonly ledger: LedgerStore;
  readonly keys: KeyStore;
  readonly limits: LimitStore;
  /** Undefined where nothing is cached. */
  readonly cache: CacheStore | undefined;
  readonly routing: RoutingStore;
  /** Of the processes that share the ledger. */
  readonly presence: PresenceStore;
  /** How the engines are, for health. */
  status(): Promise<readonly EngineStatus[]>;
  close(): Promise<void>;
}

export interface EngineStatus {
  /** `sqlite`, `postgres`, … */
  readonly name: string;
  /** What it keeps. */
  readonly keeps: readonly string[];
  readonly isUp: boolean;
  /** Why not; names no password. */
  readonly problem: string | undefined;
  /** Writes that wait on this machine until the server is back. */
  readonly waiting?: number | undefined;
}
