/** Tokens as LiteLLM counts them: what was read from a cache or written to one is among the tokens of the prompt. */

import type { LedgerTokens } from "../../sdk/ledger.ts";

export interface TokenCounts {
  readonly prompt_tokens: number;
  readonly completion_tokens: number;
  readonly total_tokens: number;
  readonly cache_read_input_tokens: number;
  readonly cache_creation_input_tokens: number;
}

/** Zeros where nothing is known of them. */
export function countTokens(tokens: LedgerTokens | undefined): TokenCounts {
  const { input = 0, output = 0, cacheRead = 0, cacheWrite5m = 0, cacheWrite1h = 0 } = tokens ?? {};
  const written = cacheWrite5m + cacheWrite1h;
  const prompt = input + cacheRead + written;
  return {
    prompt_tokens: prompt,
    completion_tokens: output,
    total_tokens: prompt + output,
    cache_read_input_tokens: cacheRead,
    cache_creation_input_tokens: written,
  };
}
