/** Where writes wait on this machine for a server that is away. */

import type { LedgerWrite } from "./ledger.ts";
import type { Awaitable } from "./routing-store.ts";

export interface WaitingWrites {
  /** Grows with every one that is appended. */
  readonly id: number;
  readonly writes: readonly LedgerWrite[];
}

/** Durable against a kill of the process. In order. */
export interface Outbox {
  append(writes: readonly LedgerWrite[]): Awaitable<void>;
  /** The oldest, at most `limit`. */
  peek(limit: number): Awaitable<readonly WaitingWrites[]>;
  /** Those up to this id have arrived. */
  removeUpTo(id: number): Awaitable<void>;
  count(): Awaitable<number>;
}
