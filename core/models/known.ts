/**
 * Models that the catalog of prices says nothing of, or only what they cost: windows, limits and abilities by family.
 * From https://platform.claude.com/docs/en/about-claude/models/overview, https://developers.openai.com/api/docs/models,
 * https://ai.google.dev/gemini-api/docs/models, https://api-docs.deepseek.com and
 * https://platform.minimax.io/docs/api-reference/text-anthropic-api, as of November 2026.
 */

import type { ModelFacts } from "../../sdk/wire.ts";
import type { Prices } from "./prices.ts";

export interface KnownModel {
  /** Of an id without publisher, region and date; dots read as dashes. */
  readonly id: RegExp;
  readonly facts: Partial<ModelFacts>;
  /** USD per million tokens, only where the catalog has none; the last one that has begun holds. */
  readonly prices?: readonly (Prices & { readonly from?: string })[];
}

const able = { images: true, documents: true, tools: true, reasoning: true };
const blind = { images: false, documents: false, tools: true };

/** The first match counts. */
const knownModels: readonly KnownModel[] = [
  {
    id: /^claude-(?:fable|mythos)-5-2\b/,
    facts: { contextWindow: 1_000_000, maxOutputTokens: 128_000, ...able },
    prices: [{ input: 8, output: 40 }],
  },
  {
    id: /^claude-haiku-5-5\b/,
    facts: { contextWindow: 1_000_000, maxOutputTokens: 128_000, ...able },
    prices: [{ input: 0.1, output: 0.5, cacheWrite: 0.125, above: [{ tokens: 100_000, input: 0.5, output: 2.5, cacheWrite: 0.625 }] }],
  },
  {
    id: /^claude-(?:(?:fable|mythos|opus|sonnet|haiku)-5|opus-4-[678])\b/,
    facts: { contextWindow: 1_000_000, maxOutputTokens: 128_000, ...able },
  },
  { id: /^claude-sonnet-4-6\b/, facts: { contextWindow: 1_000_000, maxOutputTokens: 64_000, ...able } },
  { id: /^claude-(?:opus|sonnet|haiku)-4-5\b/, facts: { contextWindow: 200_000, maxOutputTokens: 64_000, ...able } },
  { id: /^claude-/, facts: { contextWindow: 200_000, images: true, tools: true } },

  { id: /^gpt-6-2-astra\b/, facts: { contextWindow: 1_050_000, maxOutputTokens: 128_000, ...able }, prices: [{ input: 8, output: 40 }] },
  { id: /^gpt-6-2-sol\b/, facts: { contextWindow: 1_050_000, maxOutputTokens: 128_000, ...able }, prices: [{ input: 2, output: 10 }] },
  {
    id: /^gpt-6-1-sol\b/,
    facts: { contextWindow: 1_050_000, maxOutputTokens: 128_000, ...able },
    prices: [{ input: 2, output: 10, cacheRead: 0.1, cacheWrite: 2.5 }],
  },
  { id: /^gpt-(?:6|5-6)\b/, facts: { contextWindow: 1_050_000, maxOutputTokens: 128_000, ...able } },
  { id: /^gpt-oss/, facts: { ...blind, reasoning: true } },
  { id: /^gpt-5/, facts: able },
  { id: /^gpt-4(?:o|-1)\b/, facts: { images: true, tools: true, reasoning: false } },

  {
    id: /^gemini-4-argon\b/,
    facts: { contextWindow: 1_048_576, maxOutputTokens: 65_536, ...able },
    prices: [
      { input: 2, output: 10 },
      { from: "2026-12-01T00:00:00Z", input: 4, output: 20 },
    ],
  },
  // Google Cloud counts one token less than AI Studio.
  { id: /^gemini-2-5/, facts: { contextWindow: 1_048_576, maxOutputTokens: 65_535, ...able } },
  { id: /^gemini-[34]/, facts: { contextWindow: 1_048_576, maxOutputTokens: 65_536, ...able } },

  { id: /^deepseek-(?:v4-pro|chat|reasoner)\b/, facts: { ...blind, reasoning: true } },
  { id: /^deepseek-/, facts: { documents: false, tools: true, reasoning: true } },
  { id: /^minimax-m2/, facts: { contextWindow: 204_800, ...blind, reasoning: true } },
  { id: /^(?:kimi-k|glm-[5-9]|grok-4|magistral)/, facts: { tools: true, reasoning: true } },
];

/** The family of a model in any host's spelling. */
export function findKnown(model: string): KnownModel | undefined {
  const id = plainId(model);
  return knownModels.find((known) => known.id.test(id));
}

/** Without what hosts put around an id: `us.anthropic.claude-opus-4-8-20260401-v1:0` is `claude-opus-4-8`. */
export function plainId(model: string): string {
  const last = model.toLowerCase().split("/").at(-1) ?? "";
  return last
    .replace(/\[[^\]]*\]$/, "")
    .replace(/^(?:[a-z-]+\.){1,2}(?=[a-z])/, "")
    .replace(/@.*$/, "")
    .replace(/-v\d+(?::\d+)?$/, "")
    .replace(/-(?:20\d{6}|20\d\d-\d\d-\d\d|latest)$/, "")
    .replaceAll(".", "-");
}
