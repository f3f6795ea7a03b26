/** What a caller is told when each deployment of a group is over its limits of this minute. */

import { ProxyError } from "../../sdk/errors.ts";
import type { Candidate } from "../../sdk/strategy.ts";

const minuteMs = 60_000;

/** In LiteLLM's words; the wait is what is left of the minute. @param wallClock ms since 1970 */
export function rateLimitError(candidates: readonly Candidate[], wallClock: number): ProxyError {
  const seconds = Math.max(1, Math.ceil((minuteMs - (wallClock % minuteMs)) / 1000));
  const options = { status: 429, kind: "rate_limit_error", headers: { "retry-after": String(seconds) } } as const;
  for (const { rpm, tpm, state } of candidates) {
    if (rpm !== undefined && state.requests >= rpm)
      return new ProxyError(`Model rate limit exceeded. RPM limit=${rpm}, current usage=${state.requests}`, options);
    if (tpm !== undefined && state.tokens >= tpm)
      return new ProxyError(`Model rate limit exceeded. TPM limit=${tpm}, current usage=${state.tokens}`, options);
  }
  const message = `No deployments available for selected model, Try again in ${seconds} seconds. Passed model=${candidates[0]?.group ?? ""}`;
  return new ProxyError(message, options);
}
