/** What an answer cost, by the prices that the configuration names. */

import type { Usage } from "../../sdk/dialect.ts";

/**
 * @param usage as reported; tokens read from a cache or written to one are not among its input tokens
 * @param info `model_info` of the deployment: `input_cost_per_token`, `output_cost_per_token`,
 * `cache_read_input_token_cost` and `cache_creation_input_token_cost`, USD
 * @returns null when the usage is not known, or the price of tokens there are
 */
export function costUsd(usage: Usage | undefined, info: Readonly<Record<string, unknown>>): number | null {
  if (usage?.inputTokens === undefined || usage.outputTokens === undefined) return null;
  const parts: readonly (readonly [tokens: number, price: number | undefined])[] = [
    [usage.inputTokens, price(info["input_cost_per_token"])],
    [usage.outputTokens, price(info["output_cost_per_token"])],
    [usage.cacheReadTokens ?? 0, price(info["cache_read_input_token_cost"])],
    [usage.cacheWriteTokens ?? 0, price(info["cache_creation_input_token_cost"])],
  ];
  let sum = 0;
  for (const [tokens, each] of parts) {
    if (tokens === 0) continue;
    if (each === undefined) return null;
    sum += tokens * each;
  }
  // Prices have few digits; what binary fractions add to their sum is no money.
  return Number(sum.toPrecision(12));
}

/** YAML reads some spellings of a small number as text, e.g. `3e-06` in quotes. */
function price(value: unknown): number | undefined {
  const number = typeof value === "string" && value.trim() !== "" ? Number(value) : value;
  return typeof number === "number" && Number.isFinite(number) && number >= 0 ? number : undefined;
}
