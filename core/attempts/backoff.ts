/** How long to wait before the same deployment is asked again. */

import type { Failure } from "./failure.ts";

export interface BackoffQuestion {
  readonly failure: Pick<Failure, "class" | "retryAfterMs">;
  /** How often the deployment was asked for this request; at least 1. */
  readonly times: number;
  /** Whether somebody wrote down how often to ask again. */
  readonly isExplicit: boolean;
  /** `retry_after`. */
  readonly minDelayMs: number;
  /** From 0 to less than 1. */
  readonly random: () => number;
}

/** Longer than this nobody waits: the caller is told instead, and shows its user what it waits for. LiteLLM's, where it was asked for. */
const longestAskedMs = { usual: 10_000, explicit: 60_000 };

/** Of a host that has too much to do already; of one that failed. As AWS has them, with LiteLLM's cap for the latter. */
const busy = { baseMs: 1000, capMs: 20_000 };
const failed = { baseMs: 100, capMs: 8000 };

/** @returns undefined where the upstream asks to wait longer than a request should */
export function backoffMs({ failure, times, isExplicit, minDelayMs, random }: BackoffQuestion): number | undefined {
  const { retryAfterMs } = failure;
  const longestMs = isExplicit ? longestAskedMs.explicit : longestAskedMs.usual;
  if (retryAfterMs !== undefined) return retryAfterMs > longestMs ? undefined : Math.max(retryAfterMs, minDelayMs);
  const isBusy = failure.class === "rate-limit" || failure.class === "exhausted" || failure.class === "overloaded";
  const { baseMs, capMs } = isBusy ? busy : failed;
  // Full jitter: many that failed together do not come back together.
  return Math.max(minDelayMs, Math.floor(random() * Math.min(capMs, baseMs * 2 ** Math.min(times - 1, 30))));
}
