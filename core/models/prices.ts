/** What tokens of a model cost, in one form for all who say it. */

/** USD per token; undefined where nobody said: a price that is not known is not nothing. */
export interface TokenPrices {
  readonly input?: number | undefined;
  readonly output?: number | undefined;
  readonly cacheRead?: number | undefined;
  readonly cacheWrite?: number | undefined;
  /** To a cache that keeps for an hour. */
  readonly cacheWrite1h?: number | undefined;
  /** Of thoughts, where they cost other than the rest of the output. */
  readonly reasoning?: number | undefined;
  /** USD per use, of searches and the like. */
  readonly serverTool?: number | undefined;
}

/** Ways of being served that cost something else. */
export type Tier = "batch" | "flex" | "priority";

export interface Prices extends TokenPrices {
  /** In their place, as far as they are named. */
  readonly tiers?: Readonly<Partial<Record<Tier, TokenPrices>>>;
  /** In their place for requests with more input, what was cached included: the last one that applies, for all tokens. */
  readonly above?: readonly (TokenPrices & { readonly tokens: number })[];
}

const infoNames = {
  input: "input_cost_per_token",
  output: "output_cost_per_token",
  cacheRead: "cache_read_input_token_cost",
  cacheWrite: "cache_creation_input_token_cost",
  cacheWrite1h: "cache_creation_input_token_cost_above_1hr",
  reasoning: "output_cost_per_reasoning_token",
  serverTool: "server_tool_use_cost_per_request",
} as const;

type Kind = keyof typeof infoNames;

const kinds: readonly Kind[] = ["input", "output", "cacheRead", "cacheWrite", "cacheWrite1h", "reasoning", "serverTool"];

/** Prices that `model_info` names in LiteLLM's words, `…_above_200k_tokens` among them; undefined where it names none. */
export function pricesOfInfo(info: Readonly<Record<string, unknown>>): Prices | undefined {
  const known = ofInfos.get(info);
  if (known !== undefined) return known.prices;
  const prices = readInfo(info);
  ofInfos.set(info, { prices });
  return prices;
}

/** Those of a deployment are asked for with each request, and stay the same. */
const ofInfos = new WeakMap<object, { readonly prices: Prices | undefined }>();

function readInfo(info: Readonly<Record<string, unknown>>): Prices | undefined {
  const sizes = new Set<number>();
  for (const name of Object.keys(info)) {
    const [, thousands] = /_above_(\d+)k_tokens$/.exec(name) ?? [];
    if (thousands !== undefined) sizes.add(Number(thousands));
  }
  const base = read(info, "");
  const above = [...sizes]
    .sort((one, other) => one - other)
    .map((thousands) => ({ tokens: thousands * 1000, ...base, ...read(info, `_above_${thousands}k_tokens`) }));
  const tiers = Object.fromEntries(
    Object.entries(tierSuffixes).flatMap(([tier, suffix]) => {
      const prices = read(info, suffix);
      return Object.keys(prices).length === 0 ? [] : [[tier, prices]];
    }),
  );
  if (Object.keys(base).length === 0 && above.length === 0) return undefined;
  return { ...base, ...(above.length === 0 ? {} : { above }), ...(Object.keys(tiers).length === 0 ? {} : { tiers }) };
}

const tierSuffixes: Readonly<Record<Tier, string>> = { batch: "_batches", flex: "_flex", priority: "_priority" };

function read(info: Readonly<Record<string, unknown>>, suffix: string): TokenPrices {
  const found = kinds.flatMap((kind) => {
    const price = priceOf(info[infoNames[kind] + suffix]);
    return price === undefined ? [] : [[kind, price] as const];
  });
  return Object.fromEntries(found);
}

/** YAML reads some spellings of a small number as text, e.g. `3e-06` in quotes. */
function priceOf(value: unknown): number | undefined {
  const number = typeof value === "string" && value.trim() !== "" ? Number(value) : value;
  return typeof number === "number" && Number.isFinite(number) && number >= 0 ? number : undefined;
}

/** Those that hold for a request of this size. @param inputTokens what was cached included */
export function pricesAt(prices: Prices, inputTokens: number): TokenPrices {
  return prices.above?.findLast(({ tokens }) => inputTokens > tokens) ?? prices;
}

/**
 * Those of a tier. Batches and flexible processing cost half at Anthropic, OpenAI and Google; what priority costs is different for each model.
 *
 * @returns undefined where nobody knows
 */
export function pricesOfTier(usual: TokenPrices, { tiers }: Prices, tier: string | undefined): TokenPrices | undefined {
  if (tier !== "batch" && tier !== "flex" && tier !== "priority") return usual;
  const own = tiers?.[tier];
  if (own !== undefined) return { ...usual, ...own };
  return tier === "priority" ? undefined : halved(usual);
}

function halved({ serverTool, ...prices }: TokenPrices): TokenPrices {
  const halves = Object.entries(prices).map(([kind, price]) => [kind, price === undefined ? undefined : price / 2] as const);
  return { ...Object.fromEntries(halves), serverTool };
}
