/** What all plugins together contribute, by name. */

import type { Dialect, ModelList, Provider } from "../sdk/dialect.ts";
import type { Plugin } from "../sdk/plugin.ts";
import type { RuleFactory } from "../sdk/rule.ts";

export interface Registry {
  readonly dialects: readonly Dialect[];
  readonly providers: readonly Provider[];
  readonly modelLists: readonly ModelList[];
  readonly rules: ReadonlyMap<string, RuleFactory>;
}

/** @throws Error when two plugins contribute the same name: that is a fault of the build, not of a configuration. */
export function createRegistry(plugins: readonly Plugin[]): Registry {
  const dialects = new Map<string, Dialect>();
  const rules = new Map<string, RuleFactory>();
  for (const plugin of plugins) {
    const contribution = plugin.setup();
    for (const dialect of contribution.dialects ?? []) add(dialects, dialect, "dialect", plugin);
    for (const rule of contribution.rules ?? []) add(rules, rule, "rule", plugin);
  }
  const all = [...dialects.values()];
  return {
    dialects: all,
    providers: all.flatMap(({ provider }) => provider ?? []),
    modelLists: all.flatMap(({ ingress }) => ingress?.modelList ?? []),
    rules,
  };
}

function add<T extends { readonly name: string }>(known: Map<string, T>, item: T, kind: string, plugin: Plugin): void {
  if (known.has(item.name))
    throw new Error(`plugin "${plugin.name}" contributes the ${kind} "${item.name}", which another plugin has contributed already`);
  known.set(item.name, item);
}
