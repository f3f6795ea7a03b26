/** What all plugins together contribute, by name. */

import type { Dialect, Ingress, ModelList } from "../sdk/dialect.ts";
import { hubDialect } from "../sdk/hub/dialect.ts";
import type { EngineOpeners } from "../sdk/engines.ts";
import type { Plugin } from "../sdk/plugin.ts";
import type { Provider } from "../sdk/provider.ts";
import type { RuleFactory } from "../sdk/rule.ts";
import type { StrategyFactory } from "../sdk/strategy.ts";

export interface Registry {
  /** By name. */
  readonly dialects: ReadonlyMap<string, Dialect>;
  /** The client's side of the hub's own dialect, for requests that the proxy makes itself. */
  readonly hub: Ingress;
  readonly providers: readonly Provider[];
  readonly modelLists: readonly ModelList[];
  readonly rules: ReadonlyMap<string, RuleFactory>;
  readonly strategies: ReadonlyMap<string, StrategyFactory>;
  readonly engines: Partial<EngineOpeners>;
}

/** @throws Error when two plugins contribute the same name: that is a fault of the build, not of a configuration. */
export function createRegistry(plugins: readonly Plugin[]): Registry {
  const dialects = new Map<string, Dialect>();
  const providers = new Map<string, { readonly name: string; readonly provider: Provider }>();
  const rules = new Map<string, RuleFactory>();
  const strategies = new Map<string, StrategyFactory>();
  const engines = new Map<string, unknown>();
  for (const plugin of plugins) {
    const contribution = plugin.setup();
    for (const dialect of contribution.dialects ?? []) add(dialects, dialect, "dialect", plugin);
    for (const provider of contribution.providers ?? []) {
      for (const name of provider.names) add(providers, { name, provider }, "provider", plugin);
    }
    for (const rule of contribution.rules ?? []) add(rules, rule, "rule", plugin);
    for (const strategy of contribution.strategies ?? []) add(strategies, strategy, "strategy", plugin);
    for (const name of Object.keys(contribution.engines ?? {})) if (engines.has(name)) throw taken(plugin, "engine", name);
    for (const [name, open] of Object.entries(contribution.engines ?? {})) engines.set(name, open);
  }
  const hub = dialects.get(hubDialect)?.ingress;
  if (hub === undefined) throw new Error(`no plugin contributes the dialect "${hubDialect}", which all others are translated to`);
  return {
    dialects,
    hub,
    providers: [...new Set([...providers.values()].map(({ provider }) => provider))],
    modelLists: [...dialects.values()].flatMap(({ ingress }) => ingress?.modelList ?? []),
    rules,
    strategies,
    engines: Object.fromEntries(engines) as Partial<EngineOpeners>,
  };
}

function add<T extends { readonly name: string }>(known: Map<string, T>, item: T, kind: string, plugin: Plugin): void {
  if (known.has(item.name)) throw taken(plugin, kind, item.name);
  known.set(item.name, item);
}

function taken(plugin: Plugin, kind: string, name: string): Error {
  return new Error(`plugin "${plugin.name}" contributes the ${kind} "${name}", which another plugin has contributed already`);
}
