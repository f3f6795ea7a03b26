/** Whether a deployment can take another request in this minute. */

import type { Candidate, StrategyRequest } from "../../sdk/strategy.ts";

export function hasRoom({ rpm, tpm, state }: Candidate, { inputTokens }: Pick<StrategyRequest, "inputTokens">): boolean {
  return (rpm === undefined || state.requests < rpm) && (tpm === undefined || state.tokens + inputTokens <= tpm);
}
