/** What became of an exchange at the cache, for whoever tells of it: headers, ledger, log. */

import type { Usage } from "../../sdk/dialect.ts";
import type { NanoDollars } from "../../sdk/money.ts";

export interface CacheOutcome {
  /** Telling nothing of what was asked. */
  readonly key: string;
  /** `coalesced`: answered by what another one got that asked the same at the same time. */
  readonly type: "hit" | "coalesced" | "miss";
  /** Where a model answered once; undefined for a miss. */
  readonly source?: CacheSource;
}

export interface CacheSource {
  /** ms since 1970. */
  readonly storedAt: number;
  readonly model: string;
  readonly deploymentId: string;
  /** What the reply counted when a model made it; this time nothing was counted. */
  readonly usage: Usage | undefined;
  /** What it cost then, and did not cost now; null where that is not known. */
  readonly savedCost: NanoDollars | null;
}

const outcomes = new WeakMap<object, CacheOutcome>();

/** @returns undefined for an exchange that has nothing to do with the cache, or has not come to it */
export function cacheOutcomeOf(exchange: object): CacheOutcome | undefined {
  return outcomes.get(exchange);
}

export function noteCacheOutcome(exchange: object, outcome: CacheOutcome): void {
  outcomes.set(exchange, outcome);
}

/** Whether no upstream was asked for it. */
export function isFromCache(exchange: object): boolean {
  const type = outcomes.get(exchange)?.type;
  return type === "hit" || type === "coalesced";
}
