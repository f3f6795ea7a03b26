/** What a request may cost, before anybody knows: what budgets hold back for it, and what it is booked at if nobody ever says more. */

import type { NanoDollars } from "../../sdk/money.ts";
import { type Answered, costNano } from "./cost.ts";

/** Of English, four; code and other languages have fewer, and too much is given back. */
const bytesPerToken = 3;
/** Most answers are shorter, and clients ask for ten times what they use. */
const usualOutputTokens = 4096;

export function guessInputTokens(bytes: number): number {
  return Math.ceil(bytes / bytesPerToken);
}

export interface Estimated {
  readonly inputTokens: number;
  /** As asked for; undefined: as long as it gets. */
  readonly maxOutputTokens: number | undefined;
  /** `model_info` of the deployment. */
  readonly info: Readonly<Record<string, unknown>>;
  readonly answered: Answered;
}

/** Null where no price is known. */
export function estimate({ inputTokens, maxOutputTokens, info, answered }: Estimated): NanoDollars | null {
  const outputTokens = Math.min(maxOutputTokens ?? usualOutputTokens, usualOutputTokens);
  return costNano({ inputTokens, outputTokens, cacheReadTokens: 0, cacheWriteTokens: 0 }, info, answered);
}
