/** For authors of plugins: trusted, in-process code that contributes dialects, providers, rules and strategies. */

import type { Dialect } from "./dialect.ts";
import type { EngineOpeners } from "./engines.ts";
import type { Provider } from "./provider.ts";
import type { RuleFactory } from "./rule.ts";
import type { StrategyFactory } from "./strategy.ts";

/** What a plugin adds. A name that is taken already is an error at start. */
export interface Contribution {
  readonly dialects?: readonly Dialect[];
  readonly providers?: readonly Provider[];
  readonly rules?: readonly RuleFactory[];
  readonly strategies?: readonly StrategyFactory[];
  /** What keeps ledger, keys, limits and cache. */
  readonly engines?: Partial<EngineOpeners>;
}

export interface Plugin {
  readonly name: string;
  setup(): Contribution;
}

/** Returns the plugin unchanged; its only use is the type it checks. */
export function definePlugin(plugin: Plugin): Plugin {
  return plugin;
}
