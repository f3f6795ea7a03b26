/** Whole replies by key. Nothing here may fail a request: who asks takes a failure for a miss. */

import type { Awaitable } from "./routing-store.ts";

export interface CachedReply {
  /** ms since 1970. */
  readonly storedAt: number;
  /** JSON of whoever stores it. */
  readonly head: string;
  readonly body: Uint8Array;
}

export interface CacheStats {
  readonly entries: number;
  /** Of heads and bodies. */
  readonly bytes: number;
}

export interface CacheStore {
  /** Undefined when it is not there, or its time is over. */
  get(key: string): Awaitable<CachedReply | undefined>;
  /** @param ttlMs more than 0 */
  put(key: string, reply: CachedReply, ttlMs: number): Awaitable<void>;
  /** @returns how many were there */
  delete(keys: readonly string[]): Awaitable<number>;
  clear(): Awaitable<void>;
  stats(): Awaitable<CacheStats>;
  close(): Promise<void>;
}
