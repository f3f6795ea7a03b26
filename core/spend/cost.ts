/** What an answer cost: by the prices that the configuration names, else by those of the catalog. */

import type { Usage } from "../../sdk/dialect.ts";
import { type NanoDollars, toNanoDollars } from "../../sdk/money.ts";
import { lookUpDeployment } from "../models/look-up.ts";
import { type Prices, type TokenPrices, pricesAt, pricesOfInfo, pricesOfTier } from "../models/prices.ts";

/** Who answered: the deployment itself, not the model the client asked for. */
export interface Answered {
  readonly providerName: string;
  readonly model: string;
}

/**
 * @param usage as reported; tokens read from a cache or written to one are not among its input tokens
 * @param info `model_info` of the deployment: `input_cost_per_token`, `output_cost_per_token`,
 * `cache_read_input_token_cost` and `cache_creation_input_token_cost`, USD, and each with `_above_200k_tokens`
 * @param answered whose list prices hold where `info` names none for input and output
 * @returns null when the usage is not known, or the price of tokens there are; never 0 for want of a price
 */
export function costUsd(usage: Usage | undefined, info: Readonly<Record<string, unknown>>, answered?: Answered): number | null {
  const prices = pricesFor(info, answered);
  return prices === undefined ? null : costOf(usage, prices);
}

/** The same, in whole nano-dollars. */
export function costNano(usage: Usage | undefined, info: Readonly<Record<string, unknown>>, answered?: Answered): NanoDollars | null {
  const cost = costUsd(usage, info, answered);
  return cost === null ? null : toNanoDollars(cost);
}

/** USD; null when the usage is not known, or the price of tokens there are. */
function costOf(usage: Usage | undefined, prices: Prices): number | null {
  if (usage?.inputTokens === undefined || usage.outputTokens === undefined) return null;
  const { inputTokens, outputTokens, cacheReadTokens = 0, cacheWriteTokens = 0 } = usage;
  const { cacheWrite1hTokens = 0, reasoningTokens = 0, serverToolUses = 0 } = usage;
  const each = pricesOfTier(pricesAt(prices, inputTokens + cacheReadTokens + cacheWriteTokens), prices, usage.serviceTier);
  if (each === undefined) return null;
  const parts: readonly (readonly [tokens: number, price: number | undefined])[] = [
    [inputTokens, each.input],
    [Math.max(0, outputTokens - reasoningTokens), each.output],
    [Math.min(outputTokens, reasoningTokens), each.reasoning ?? each.output],
    [cacheReadTokens, each.cacheRead],
    [Math.max(0, cacheWriteTokens - cacheWrite1hTokens), each.cacheWrite],
    [Math.min(cacheWriteTokens, cacheWrite1hTokens), each.cacheWrite1h ?? hourPrice(each)],
    [serverToolUses, each.serverTool ?? usualToolPrice],
  ];
  let sum = 0;
  for (const [tokens, price] of parts) {
    if (tokens === 0) continue;
    if (price === undefined) return null;
    sum += tokens * price;
  }
  // Prices have few digits; what binary fractions add to their sum is no money.
  return Number(sum.toPrecision(12));
}

/** Of Anthropic, whose caches alone are kept by the hour: twice the input. Elsewhere the price of a cache is one. */
function hourPrice({ input, cacheWrite }: TokenPrices): number | undefined {
  return input === undefined ? cacheWrite : 2 * input;
}

/** Of a search at Anthropic and at OpenAI: $10 for a thousand. */
const usualToolPrice = 0.01;

/** A price list is one whole: what someone pays for input says nothing of what the list asks for a cache. */
function pricesFor(info: Readonly<Record<string, unknown>>, answered: Answered | undefined): Prices | undefined {
  const own = pricesOfInfo(info);
  if (answered === undefined || own?.input !== undefined || own?.output !== undefined) return own ?? {};
  const listed = lookUpDeployment({ ...answered, info }).prices;
  if (listed === undefined || own === undefined) return listed ?? own;
  const above = (own.above ?? listed.above)?.map((each) => ({ ...each, ...own }));
  return { ...listed, ...own, ...(above === undefined ? {} : { above }) };
}
