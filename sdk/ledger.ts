/**
 * What every request and every attempt cost, and whose it was. An attempt is written down before it is sent, and settled before its caller sees the
 * end of the reply: what a process that was killed left behind is `reserved` still, and found by `recover`.
 *
 * Never holds what was said. Times are ms since 1970, since rows outlive processes. Methods of an implementation that needs no I/O
 * beyond this process return values, not promises.
 */

import type { Json } from "./body.ts";
import type { NanoDollars } from "./money.ts";
import type { Awaitable } from "./routing-store.ts";

/** Who pays for a request. */
export interface LedgerCaller {
  /** `anonymous`, `local`, `master` or `key`. */
  readonly kind: string;
  /** Of a virtual key: SHA-256 in hex. */
  readonly keyId?: string | undefined;
  readonly keyAlias?: string | undefined;
  readonly userId?: string | undefined;
  readonly teamId?: string | undefined;
  /** Whom the caller names as its own customer. */
  readonly endUser?: string | undefined;
  readonly address?: string | undefined;
}

/** A request of a client, as it begins. */
export interface ExchangeStart {
  readonly id: string;
  /** The process that writes it. */
  readonly instance: string;
  readonly startedAt: number;
  /** `generate`, `embeddings`, … */
  readonly operation: string;
  readonly caller: LedgerCaller;
  readonly session?: string | undefined;
  readonly agent?: string | undefined;
  readonly requestClass?: string | undefined;
  readonly client?: string | undefined;
  readonly label: string;
  readonly modelAsked: string;
  readonly tags: readonly string[];
  /** `x-litellm-spend-logs-metadata`. */
  readonly metadata?: Json | undefined;
}

/** One request to one upstream, about to be sent. */
export interface AttemptStart {
  readonly exchangeId: string;
  /** From 1, within the exchange. */
  readonly number: number;
  readonly instance: string;
  readonly startedAt: number;
  readonly deploymentId: string;
  /** `model_name` of the deployment. */
  readonly group: string;
  readonly provider: string;
  /** As it is sent. */
  readonly model: string;
  readonly apiBase: string;
  /** `first`, `retry`, `fallback`, `hedge`, … */
  readonly reason: string;
  /** What it may cost; its cost, if nobody ever says more. Null where no price is known. */
  readonly estimate: NanoDollars | null;
}

/** Each kind counted by itself: what was read from a cache is not among `input`, thoughts are among `output`. */
export interface LedgerTokens {
  readonly input: number;
  readonly output: number;
  readonly cacheRead: number;
  readonly cacheWrite5m: number;
  readonly cacheWrite1h: number;
  readonly reasoning: number;
  /** Requests, not tokens: searches and the like that the provider made. */
  readonly serverTools: number;
}

/** `aborted`: nobody wanted its answer any more. `unknown`: it was sent, and nobody said what it took. */
export type AttemptState = "reserved" | "settled" | "aborted" | "unknown";

export interface AttemptSettlement {
  readonly exchangeId: string;
  readonly number: number;
  readonly state: Exclude<AttemptState, "reserved">;
  readonly endedAt: number;
  /** Undefined where no response came. */
  readonly status?: number | undefined;
  readonly tokens?: LedgerTokens | undefined;
  /** Null where it is not known, and never 0 for want of a price. */
  readonly cost: NanoDollars | null;
  /** Whether cost or tokens were counted here, not by the upstream. */
  readonly isEstimate: boolean;
  readonly firstContentMs?: number | undefined;
  /** The class of the failure; nothing that an upstream said. */
  readonly failure?: string | undefined;
}

export interface ExchangeEnd {
  readonly id: string;
  readonly endedAt: number;
  readonly outcome: string;
  readonly status: number;
  readonly modelServed?: string | undefined;
  readonly provider?: string | undefined;
  readonly deploymentId?: string | undefined;
  readonly isCacheHit: boolean;
  readonly firstByteMs?: number | undefined;
  readonly ms: number;
  /** Of the reply that the client got. */
  readonly tokens?: LedgerTokens | undefined;
  /** Of all its attempts; null where one of them is not known. */
  readonly cost: NanoDollars | null;
  /** The same tokens from the model that was asked for; null where its price is not known. */
  readonly costAsAsked: NanoDollars | null;
}

export type LedgerWrite =
  | { readonly type: "exchange"; readonly row: ExchangeStart }
  | { readonly type: "attempt"; readonly row: AttemptStart }
  /** Of an attempt that is `reserved`; of any other, and of one that is not there, nothing. */
  | { readonly type: "settle"; readonly row: AttemptSettlement }
  /** Of an exchange that has not ended; else nothing. */
  | { readonly type: "end"; readonly row: ExchangeEnd };

export type AttemptRecord = AttemptStart & {
  readonly state: AttemptState;
  readonly settlement: AttemptSettlement | undefined;
};

export type ExchangeRecord = ExchangeStart & { readonly end: ExchangeEnd | undefined };

/** Everything that is given has to hold. */
export interface LedgerFilter {
  /** Begun at or after. */
  readonly from?: number | undefined;
  /** Begun before. */
  readonly to?: number | undefined;
  readonly requestId?: string | undefined;
  readonly keyId?: string | undefined;
  readonly userId?: string | undefined;
  readonly teamId?: string | undefined;
  readonly session?: string | undefined;
  readonly tag?: string | undefined;
}

/** `model` is the one that answered, `day` is of UTC (`2026-11-23`), and with `tag` an exchange counts once for each of its tags. */
export type Grouping =
  | "model"
  | "modelAsked"
  | "key"
  | "user"
  | "team"
  | "session"
  | "agent"
  | "label"
  | "tag"
  | "provider"
  | "deployment"
  | "day";

export interface LedgerTotal {
  /** In the order of the groupings; empty text where an exchange has none. */
  readonly by: readonly string[];
  readonly requests: number;
  /** Ended with a status from 1 to 399. */
  readonly successes: number;
  readonly cacheHits: number;
  /** Ended, yet at an unknown cost. */
  readonly unknownCosts: number;
  readonly cost: NanoDollars;
  /** Of those whose two costs are known. */
  readonly saved: NanoDollars;
  readonly tokens: LedgerTokens;
}

export interface LedgerStore {
  /**
   * All of them or none, in this order; a kill after it has returned loses none. What is there already is not written again.
   *
   * @throws Error when nothing was written
   */
  write(writes: readonly LedgerWrite[]): Awaitable<void>;
  /**
   * Makes what other processes left `reserved` unknown, at its estimate, and ends what they had begun: outcome `unknown`, status 0.
   *
   * @param alive instances that still run; what they reserved stays
   * @returns those that were
   */
  recover(alive: readonly string[], now: number): Awaitable<readonly AttemptRecord[]>;
  /** Newest first. @param before the id of an exchange: only older ones */
  exchanges(filter: LedgerFilter, limit: number, before?: string): Awaitable<readonly ExchangeRecord[]>;
  /** In the order of their numbers. */
  attempts(exchangeId: string): Awaitable<readonly AttemptRecord[]>;
  /** Of exchanges that have ended; dearest first, then in the order of `by`. Nothing where there are none. */
  totals(by: readonly Grouping[], filter: LedgerFilter): Awaitable<readonly LedgerTotal[]>;
  /** Forgets what began earlier. @returns how many exchanges */
  prune(before: number): Awaitable<number>;
  close(): Promise<void>;
}
