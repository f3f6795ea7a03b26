/** What is known of a model: by our own small table at once, by the catalog of prices once it is loaded. */

import type { ModelFacts } from "../../sdk/wire.ts";
import { type Catalog, type CatalogEntry, loadCatalog } from "./catalog.ts";
import { type KnownModel, findKnown } from "./known.ts";
import type { Prices, TokenPrices } from "./prices.ts";

export interface ModelEntry {
  readonly facts: Partial<ModelFacts>;
  /** USD per token; undefined where nobody names any. */
  readonly prices: Prices | undefined;
}

export interface Models {
  /** Loads the catalog, once however often it is asked for. A catalog that cannot be loaded is an empty one. */
  load(): Promise<void>;
  readonly isLoaded: boolean;
  /**
   * @param providerName canonical name, e.g. `bedrock`
   * @param model the id that this provider is asked for, in its own spelling
   */
  lookUp(providerName: string, model: string, now?: Date): ModelEntry;
}

/** Prices of some models change by the hour. */
const keptMs = 10 * 60_000;
/** Names come from clients, too. */
const mostKept = 1000;

export function createModels(open: () => Promise<Catalog> = loadCatalog): Models {
  let catalog: Catalog | undefined;
  let loading: Promise<void> | undefined;
  const kept = new Map<string, { readonly at: number; readonly entry: ModelEntry }>();

  async function fill(): Promise<void> {
    catalog = await open().catch(() => undefined);
    // What was said without it may have lacked something.
    kept.clear();
  }

  return {
    load: () => (loading ??= fill()),
    get isLoaded() {
      return catalog !== undefined;
    },
    lookUp(providerName, model, now = new Date()) {
      const key = `${providerName}/${model}`;
      const at = now.getTime();
      const found = kept.get(key);
      if (found !== undefined && Math.abs(at - found.at) < keptMs) return found.entry;
      const entry = merge(findKnown(model), catalog?.find(providerName, model, now), now);
      if (kept.size >= mostKept) kept.clear();
      kept.set(key, { at, entry });
      return entry;
    },
  };
}

/** For the whole process: the data is the same for all. */
export const models: Models = createModels();

/** What model is behind a deployment, where `model_info.base_model` says that its name does not tell. */
export function lookUpDeployment(
  deployment: { readonly providerName: string; readonly model: string; readonly info: Readonly<Record<string, unknown>> },
  from: Models = models,
): ModelEntry {
  const base = deployment.info["base_model"];
  if (typeof base !== "string" || base === "") return from.lookUp(deployment.providerName, deployment.model);
  const slash = base.indexOf("/");
  return slash < 0 ? from.lookUp(deployment.providerName, base) : from.lookUp(base.slice(0, slash), base.slice(slash + 1));
}

function merge(known: KnownModel | undefined, found: CatalogEntry | undefined, now: Date): ModelEntry {
  const facts: Partial<ModelFacts> = { ...known?.facts };
  const contextWindow = facts.contextWindow ?? found?.contextWindow;
  return {
    facts: contextWindow === undefined ? facts : { ...facts, contextWindow },
    prices: found?.prices ?? ownPrices(known, now),
  };
}

function ownPrices(known: KnownModel | undefined, now: Date): Prices | undefined {
  const row = known?.prices?.findLast(({ from }) => from === undefined || Date.parse(from) <= now.getTime());
  if (row === undefined) return undefined;
  const { from: _, above, ...base } = row;
  const perToken = perMillion(base);
  return above === undefined ? perToken : { ...perToken, above: above.map(({ tokens, ...each }) => ({ tokens, ...perMillion(each) })) };
}

function perMillion(prices: TokenPrices): TokenPrices {
  const each = (price: number | undefined): number | undefined => (price === undefined ? undefined : price / 1e6);
  return { input: each(prices.input), output: each(prices.output), cacheRead: each(prices.cacheRead), cacheWrite: each(prices.cacheWrite) };
}
