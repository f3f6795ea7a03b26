/** The strategy that a configuration names, with its arguments. */

import { type Strategy, StrategyArgumentError } from "../../sdk/strategy.ts";
import { didYouMean } from "../config/suggest.ts";
import type { Config, Fault } from "../config/types.ts";
import type { Registry } from "../registry.ts";

export interface LoadedStrategy {
  /** Undefined where a fault says why. */
  readonly strategy: Strategy | undefined;
  readonly faults: readonly Fault[];
}

export function loadStrategy(config: Config, { strategies }: Pick<Registry, "strategies">): LoadedStrategy {
  const { name, args, argLocations, location } = config.router.strategy;
  const factory = strategies.get(name);
  const fail = (path: string, message: string, place = location): LoadedStrategy => {
    const at = place ?? { file: config.files[0] ?? config.directory };
    return { strategy: undefined, faults: [{ severity: "error", ...at, path: `router_settings.${path}`, message }] };
  };
  if (factory === undefined) {
    const known = [...strategies.keys()];
    return fail("routing_strategy", `there is no strategy "${name}"; there are ${known.join(", ")}.${didYouMean(name, known)}`);
  }
  try {
    return { strategy: factory.create(args), faults: [] };
  } catch (error) {
    if (!(error instanceof StrategyArgumentError)) throw error;
    return fail(`routing_strategy_args.${error.argument}`, error.message, argLocations?.get(error.argument) ?? location);
  }
}
