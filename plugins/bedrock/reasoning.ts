/**
 * How a model of each family is told to think, in `additionalModelRequestFields`, and what it then no longer takes.
 * Written from docs.aws.amazon.com/bedrock/latest/userguide/claude-messages-adaptive-thinking (Claude),
 * docs.aws.amazon.com/nova/latest/nova2-userguide/extended-thinking (Nova 2), docs.langchain.com/oss/python/integrations/
 * chat/bedrock (gpt-oss, Kimi) and github.com/stdapi-ai/stdapi.ai/issues/283 (GPT-5 and later).
 */

import type { Conversation, Effort } from "../../sdk/hub/conversation.ts";
import type { JsonObject } from "../../sdk/events.ts";
import { record } from "../../sdk/hub/json.ts";
import type { Note } from "../../sdk/wire.ts";
import { type Family, claudeTraits } from "./models.ts";

export interface Reasoning {
  readonly fields: JsonObject;
  /** Whether the model is asked to think. */
  readonly thinks: boolean;
  /** Whether it still takes temperature, topP and topK. */
  readonly sampling: boolean;
  /** Whether the length of its reply may be limited. */
  readonly limit: boolean;
}

const unasked: Reasoning = { fields: {}, thinks: false, sampling: true, limit: true };

export interface ReasoningQuestion {
  readonly family: Family;
  readonly knownAs: string;
  readonly conversation: Conversation;
  /** Of the hub's request, as the client sent it. */
  readonly body: JsonObject;
  readonly note: Note;
}

export function writeReasoningFields(question: ReasoningQuestion): Reasoning {
  const { family, conversation, note } = question;
  const { effort } = conversation;
  switch (family) {
    case "claude":
      return claudeReasoning(question);
    case "nova-2": {
      if (effort === undefined || effort === "none") return unasked;
      const maxReasoningEffort = threeSteps[effort];
      const isFree = maxReasoningEffort !== "high";
      if (!isFree && conversation.maxTokens !== undefined) note("max_tokens was left out: this model takes none at its highest effort");
      return { fields: { reasoningConfig: { type: "enabled", maxReasoningEffort } }, thinks: true, sampling: isFree, limit: isFree };
    }
    case "gpt-oss":
    case "kimi":
      if (effort === undefined) return unasked;
      return { ...unasked, fields: { reasoning_effort: threeSteps[effort] }, thinks: true };
    case "openai": {
      if (effort === undefined) return { ...unasked, sampling: false };
      const thinks = effort !== "none";
      return { fields: { reasoning: { effort: effort === "minimal" ? "low" : effort } }, thinks, sampling: !thinks, limit: true };
    }
    case "nova":
    case "mistral":
    case "other":
      if (effort !== undefined && effort !== "none") note("effort was left out: how this model is told to think is not known", { effort });
  }
  return unasked;
}

/** For models that know three efforts. */
const threeSteps: Readonly<Record<Effort, "low" | "medium" | "high">> = {
  none: "low",
  minimal: "low",
  low: "low",
  medium: "medium",
  high: "high",
  xhigh: "high",
  max: "high",
};

/** Tokens, for models that know no efforts. */
const budgets: Readonly<Record<Exclude<Effort, "none">, number>> = {
  minimal: 1024,
  low: 2048,
  medium: 8192,
  high: 16_384,
  xhigh: 24_576,
  max: 31_999,
};

const smallestBudget = 1024;

function claudeReasoning({ knownAs, conversation, body, note }: ReasoningQuestion): Reasoning {
  const { effort, thinkingBudget, maxTokens } = conversation;
  const traits = claudeTraits(knownAs);
  const quiet: Reasoning = { ...unasked, sampling: traits.sampling };
  if (effort === undefined || !traits.thinks) return quiet;
  if (effort === "none") {
    if (!traits.alwaysThinks) return { ...quiet, fields: { thinking: { type: "disabled" } } };
    note("the model thinks anyway: it refuses to be told not to");
    return quiet;
  }
  const display = record(body["thinking"])?.["display"];
  if (traits.adaptive) {
    const thinking = { type: "adaptive", ...(display === undefined ? {} : { display }) };
    const known = effort === "minimal" ? "low" : effort;
    return { fields: { thinking, output_config: { effort: known } }, thinks: true, sampling: false, limit: true };
  }
  const wanted = thinkingBudget ?? budgets[effort];
  const budget = maxTokens === undefined ? wanted : Math.min(wanted, maxTokens - 1);
  if (budget < smallestBudget) {
    note("thinking was left out: the reply may not be long enough for it", { maxTokens: maxTokens ?? 0 });
    return quiet;
  }
  return { fields: { thinking: { type: "enabled", budget_tokens: budget } }, thinks: true, sampling: false, limit: true };
}
