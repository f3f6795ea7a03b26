/** Which processes share a ledger, so that what a vanished one has left behind can be told from what another one is doing. */

import type { Awaitable } from "./routing-store.ts";

export interface Instance {
  /** Random; of one process. */
  readonly id: string;
  /** Name of its machine. */
  readonly host: string;
  readonly pid: number;
}

export interface PresenceStore {
  /** It lives; said again and again. */
  beat(instance: Instance): Awaitable<void>;
  /** It ends, and has left nothing behind. */
  leave(id: string): Awaitable<void>;
  /** Those that were heard of within so many ms, by the clock that all share. Forgets those not heard of for a day. */
  heardOf(withinMs: number): Awaitable<readonly Instance[]>;
}
