/** Turns `routing_strategy_args` into checked values. */

import { closest, distance } from "fastest-levenshtein";
import { z } from "zod";
import { StrategyArgumentError } from "../../sdk/strategy.ts";

/** The `describe()` of each says what is wanted, for messages. */
export type Parameters = Readonly<Record<string, z.ZodType>>;

/** Arguments of LiteLLM's strategies. Left over from another one they do no harm, and LiteLLM says nothing either. */
const ofOthers: ReadonlySet<string> = new Set(["ttl", "lowest_latency_buffer", "max_latency_list_size", "ttft_percentile"]);

/** @throws StrategyArgumentError for an unknown or unfit argument */
export function readArguments<Shape extends Parameters>(
  strategy: string,
  parameters: Shape,
  args: Readonly<Record<string, unknown>>,
): z.infer<z.ZodObject<Shape>> {
  const names = Object.keys(parameters);
  for (const name of Object.keys(args)) {
    if (!names.includes(name) && !ofOthers.has(name)) throw new StrategyArgumentError(name, unknownName(strategy, name, names));
  }
  const result = z.object(parameters).safeParse(args);
  if (result.success) return result.data;
  const name = String(result.error.issues[0]?.path[0] ?? "");
  const wanted = parameters[name]?.description ?? result.error.message;
  throw new StrategyArgumentError(name, `${strategy}: ${name} is ${JSON.stringify(args[name])}; wanted ${wanted}`);
}

function unknownName(strategy: string, name: string, names: readonly string[]): string {
  if (names.length === 0) return `${strategy} takes no arguments, found "${name}"; remove it`;
  const nearest = closest(name, names);
  const hint = distance(name.toLowerCase(), nearest) <= Math.max(2, nearest.length / 3) ? ` Did you mean "${nearest}"?` : "";
  return `${strategy} has no argument "${name}"; it takes ${names.join(", ")}.${hint}`;
}
