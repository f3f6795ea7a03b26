/** How hard the model is to think, out of the several fields that say so. */

import type { JsonObject } from "../events.ts";
import type { Effort } from "./conversation.ts";
import { record, text } from "./json.ts";

const efforts: ReadonlySet<string> = new Set<Effort>(["none", "minimal", "low", "medium", "high", "xhigh", "max"]);

export interface ReadEffort {
  readonly effort: Effort | undefined;
  readonly thinkingBudget: number | undefined;
}

/**
 * Thinking that is switched off counts before all else. Then the last message that sets an effort, the request's own,
 * the band of a budget (below 4,096 tokens low, below 16,384 medium, else high), and medium for a model that may choose.
 */
export function readEffort(body: JsonObject, messages: readonly JsonObject[]): ReadEffort {
  const thinking = record(body["thinking"]);
  const type = text(thinking?.["type"]);
  if (type === "disabled") return { effort: "none", thinkingBudget: undefined };
  const budget = thinking?.["budget_tokens"];
  const thinkingBudget = type === "enabled" && typeof budget === "number" ? budget : undefined;
  const said = messages.findLast((message) => effortOf(message) !== undefined);
  const effort = (said === undefined ? undefined : effortOf(said)) ?? effortOf(body);
  return { effort: effort ?? band(thinkingBudget) ?? (type === undefined ? undefined : "medium"), thinkingBudget };
}

function effortOf(object: JsonObject): Effort | undefined {
  const effort = text(record(object["output_config"])?.["effort"]);
  return isEffort(effort) ? effort : undefined;
}

function isEffort(value: string | undefined): value is Effort {
  return value !== undefined && efforts.has(value);
}

function band(budget: number | undefined): Effort | undefined {
  if (budget === undefined) return undefined;
  if (budget < 4096) return "low";
  return budget < 16_384 ? "medium" : "high";
}
