/**
 * Windows and prices from the package `@pydantic/genai-prices`. It is nearly a megabyte of data and takes some fifty
 * milliseconds to load, so it is loaded when somebody asks for it and never before.
 */

import type { ModelPrice } from "@pydantic/genai-prices";

import type { Prices, TokenPrices } from "./prices.ts";

export interface CatalogEntry {
  readonly contextWindow: number | undefined;
  readonly prices: Prices;
}

export interface Catalog {
  /** @param now some prices depend on the date or the hour */
  find(providerName: string, model: string, now: Date): CatalogEntry | undefined;
}

/** Names of providers here, and there. */
const providerIds: ReadonlyMap<string, readonly string[]> = new Map([
  ["anthropic", ["anthropic"]],
  ["openai", ["openai"]],
  ["azure", ["azure"]],
  ["azure_ai", ["azure"]],
  ["bedrock", ["aws"]],
  ["vertex_ai", ["google"]],
  ["gemini", ["google"]],
  ["openrouter", ["openrouter"]],
  ["groq", ["groq"]],
  ["mistral", ["mistral"]],
  ["codestral", ["mistral"]],
  ["deepseek", ["deepseek"]],
  ["xai", ["x-ai"]],
  ["together_ai", ["together"]],
  ["fireworks_ai", ["fireworks"]],
  ["perplexity", ["perplexity"]],
  ["cerebras", ["cerebras"]],
  ["moonshot", ["moonshotai"]],
  ["kimi_code", ["moonshotai"]],
  ["zai", ["zai", "zhipuai"]],
  ["minimax", ["minimax"]],
  ["cohere", ["cohere"]],
  ["cohere_chat", ["cohere"]],
  ["novita", ["novita"]],
  ["baseten", ["baseten"]],
  ["cloudflare", ["cloudflare"]],
  ["ovhcloud", ["ovhcloud"]],
  ["voyage", ["voyageai"]],
  ["github_copilot", ["github-copilot"]],
  // It asks the same models under the same names, at the same price.
  ["vercel_ai_gateway", ["openrouter"]],
]);

export async function loadCatalog(): Promise<Catalog> {
  const { calcPrice } = await import("@pydantic/genai-prices");
  return {
    find(providerName, model, now) {
      for (const providerId of providerIds.get(providerName.replace(/_anthropic$/, "")) ?? []) {
        // Nothing is charged: what is wanted is the model that it finds.
        const found = calcPrice({ input_tokens: 0, output_tokens: 0 }, model, { providerId, timestamp: now });
        if (found !== null) return { contextWindow: found.model.context_window, prices: pricesOf(found.model_price) };
      }
      return undefined;
    },
  };
}

const keys = [
  ["input", "input_mtok"],
  ["output", "output_mtok"],
  ["cacheRead", "cache_read_mtok"],
  ["cacheWrite", "cache_write_mtok"],
] as const;

/** Theirs are per million, and tell each kind's steps apart. */
function pricesOf(price: ModelPrice): Prices {
  const steps = new Set<number>();
  for (const [, key] of keys) {
    const value = price[key];
    if (typeof value === "object") for (const { start } of value.tiers) steps.add(start);
  }
  const base = pricesFrom(price, 0);
  if (steps.size === 0) return base;
  const above = [...steps].sort((one, other) => one - other).map((tokens) => ({ tokens, ...pricesFrom(price, tokens + 1) }));
  return { ...base, above };
}

/** What is read from a cache or written to one counts as input where it has no price of its own. */
function pricesFrom(price: ModelPrice, inputTokens: number): TokenPrices {
  const at = (key: string): number | undefined => {
    const value = price[key];
    if (value === undefined) return undefined;
    if (typeof value === "number") return value / 1e6;
    return (value.tiers.findLast(({ start }) => inputTokens > start)?.price ?? value.base) / 1e6;
  };
  const prices = Object.fromEntries(keys.map(([kind, key]) => [kind, at(key)]));
  return { ...prices, cacheRead: prices["cacheRead"] ?? prices["input"], cacheWrite: prices["cacheWrite"] ?? prices["input"] };
}
