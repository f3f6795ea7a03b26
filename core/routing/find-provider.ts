/** Which provider a model name belongs to, as LiteLLM resolves it. Pure. */

import { matchHost } from "../../sdk/hub/host-match.ts";
import type { Provider } from "../../sdk/provider.ts";
import { didYouMean } from "../config/suggest.ts";

export interface ProviderQuery {
  /** `litellm_params.model` as written, prefix and all; or a name that a caller asked for. */
  readonly model: string;
  /** `litellm_params.custom_llm_provider`. */
  readonly explicit?: string | undefined;
  /** `litellm_params.api_base`. */
  readonly apiBase?: string | undefined;
}

export type FoundProvider =
  | {
      readonly provider: Provider;
      /** Its canonical name. */
      readonly name: string;
      /** Without the provider's prefix. */
      readonly model: string;
    }
  | {
      readonly provider: undefined;
      /** What was named as a provider; `unknown` where nothing was. */
      readonly name: string;
      readonly model: string;
      /** ` Did you mean "x"?` with its leading space, or nothing. */
      readonly hint: string;
    };

/**
 * In this order: `custom_llm_provider`; what stands before the first slash, where a provider is called so; the host of
 * `api_base`, where it is a provider's own; a bare name that a provider recognises, in the order of registration.
 */
export function findProvider(query: ProviderQuery, providers: readonly Provider[]): FoundProvider {
  const { model, explicit, apiBase } = query;
  const slash = model.indexOf("/");
  const prefix = slash > 0 ? model.slice(0, slash) : undefined;
  const named = explicit ?? prefix;
  const byName = named === undefined ? undefined : providers.find(({ names }) => names.includes(named));
  if (byName !== undefined) {
    // Only once: `openrouter/openrouter/auto` is OpenRouter's own `openrouter/auto`.
    return found(byName, prefix !== undefined && byName.names.includes(prefix) ? model.slice(slash + 1) : model);
  }
  if (explicit !== undefined) return nobody(explicit, model, providers);
  const byHost = apiBase === undefined ? undefined : providerOfHost(apiBase, providers);
  if (byHost !== undefined) return found(byHost, model);
  const recognising = prefix === undefined ? providers.find((candidate) => candidate.recognises?.(model)) : undefined;
  return recognising === undefined ? nobody(prefix, model, providers) : found(recognising, model);
}

function nobody(named: string | undefined, model: string, providers: readonly Provider[]): FoundProvider {
  const hint =
    named === undefined
      ? ""
      : didYouMean(
          named,
          providers.flatMap(({ names }) => names),
        );
  return { provider: undefined, name: named ?? "unknown", model, hint };
}

function found(provider: Provider, model: string): FoundProvider {
  return { provider, name: provider.names[0] ?? "unknown", model };
}

/** Hosts may be told apart by a path: `api.example.com` and `api.example.com/anthropic`. The longest that fits counts. */
export function providerOfHost(apiBase: string, providers: readonly Provider[]): Provider | undefined {
  const url = URL.parse(apiBase);
  if (url === null) return undefined;
  let best: Provider | undefined;
  let longest = 0;
  for (const provider of providers) {
    for (const host of provider.hosts ?? []) {
      const length = matchHost(url, host);
      if (length > longest) [best, longest] = [provider, length];
    }
  }
  return best;
}
