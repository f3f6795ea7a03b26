/**
 * Manners of models that differ from those of their neighbours on the same host. Each is told by the vendor's pages:
 * https://api-docs.deepseek.com/guides/thinking_mode, https://docs.mistral.ai/inference/conversations/reasoning,
 * https://platform.kimi.ai/docs/models, https://docs.z.ai/guides/capabilities/thinking-mode,
 * https://platform.minimax.io/docs/guides/text-generation, https://console.groq.com/docs/reasoning,
 * https://inference-docs.cerebras.ai/capabilities/reasoning, https://docs.together.ai/docs/inference/chat/reasoning,
 * https://docs.x.ai/developers/model-capabilities/text/best-practices.
 */

import type { ChatQuirks } from "../../sdk/quirks.ts";
import { nearest } from "./efforts.ts";

/** Three steps, as GLM, Kimi and DeepSeek have them. What lies between is asked for by the next higher one. */
const lowHighMax = { minimal: "low", low: "low", medium: "high", high: "high", xhigh: "max", max: "max" };

/** The switch alone: every effort is left out. */
const onOrOff = { minimal: null, low: null, medium: null, high: null, xhigh: null, max: null };

export const deepseekQuirks: ChatQuirks = {
  reasoningField: "reasoning_content",
  reasoningRequired: true,
  effort: "thinking",
  effortNames: { ...lowHighMax, xhigh: "high" },
  // `json_object` only.
  jsonSchema: false,
};

/** Those that reason take an effort of a few steps, or always think. The API refuses fields it does not know. */
export function mistralQuirks(model: string): ChatQuirks {
  const common: ChatQuirks = {
    nineCharIds: true,
    anyToolChoice: "any",
    noUserAfterTool: /^(open-)?mi[sx]tral-(7b|8x|nemo)|^mathstral|^pixtral/.test(model),
    reasoningField: "thinking_parts",
    streamUsage: false,
    refused: ["user"],
    renamed: { max_completion_tokens: "max_tokens", seed: "random_seed" },
  };
  if (model.startsWith("mistral-large-4"))
    return { ...common, effort: "reasoning_effort", effortNames: nearest("none", "low", "medium", "high") };
  if (/^mistral-(small|medium)-(latest|[34]|2[6-9])/.test(model)) {
    return { ...common, effort: "reasoning_effort", effortNames: { ...nearest("none", "high"), low: "high", medium: "high" } };
  }
  return { ...common, effort: "none" };
}

/** Thinking models have their sampling fixed; the newest cannot stop thinking. */
export function kimiQuirks(model: string): ChatQuirks {
  const common: ChatQuirks = { maxTokensField: "max_completion_tokens", anyToolChoice: "auto" };
  if (!/kimi-k[2-9]/.test(model)) return { ...common, effort: "none", temperature: [0, 1] };
  const thinking: ChatQuirks = { ...common, reasoningField: "reasoning_content", reasoningRequired: true, temperature: "fixed" };
  if (/kimi-k[3-9]/.test(model)) return { ...thinking, effort: "reasoning_effort", effortNames: { none: "low", ...lowHighMax } };
  return { ...thinking, effort: /k2\.[56]/.test(model) ? "thinking" : "none", effortNames: onOrOff };
}

/** `tool_choice` may be `auto` and nothing else, `response_format` no schema. */
export function glmQuirks(model: string): ChatQuirks {
  const common: ChatQuirks = {
    reasoningField: "reasoning_content",
    anyToolChoice: "auto",
    jsonSchema: false,
    streamUsage: false,
    temperature: [0, 1],
    renamed: { max_completion_tokens: "max_tokens" },
    // Arguments of tools come piece by piece, not after minutes of silence.
    defaults: { tool_stream: true },
  };
  if (/glm-5\.[3-9]|glm-[6-9]/.test(model)) return { ...common, effort: "reasoning_effort", effortNames: { none: "low", ...lowHighMax } };
  return { ...common, effort: "thinking", effortNames: /glm-5\.2/.test(model) ? lowHighMax : onOrOff };
}

/** With `reasoning_split` thinking comes in a field of its own, else between tags in the text. */
export const minimaxQuirks: ChatQuirks = {
  maxTokensField: "max_completion_tokens",
  reasoningField: "reasoning_details",
  thinkTags: true,
  effort: "none",
  parallelToolCalls: false,
  jsonSchema: false,
  refused: ["tool_choice"],
  defaults: { reasoning_split: true },
};

export function groqQuirks(model: string): ChatQuirks {
  const common: ChatQuirks = {
    maxTokensField: "max_completion_tokens",
    // Structured outputs neither stream nor go with tools.
    jsonSchema: false,
  };
  if (model.includes("gpt-oss")) {
    return { ...common, reasoningField: "reasoning", effort: "reasoning_effort", effortNames: nearest("low", "medium", "high") };
  }
  if (model.includes("qwen")) {
    const effortNames = { none: "none", ...Object.fromEntries(Object.keys(onOrOff).map((effort) => [effort, "default"])) };
    return { ...common, reasoningField: "reasoning", effort: "reasoning_effort", effortNames, defaults: { reasoning_format: "parsed" } };
  }
  return { ...common, effort: "none" };
}

export function cerebrasQuirks(model: string): ChatQuirks {
  const common: ChatQuirks = {
    maxTokensField: "max_completion_tokens",
    parallelToolCalls: false,
    reasoningField: "reasoning",
    refused: ["frequency_penalty", "presence_penalty", "logit_bias", "service_tier"],
  };
  if (model.includes("gpt-oss")) return { ...common, effort: "reasoning_effort", effortNames: nearest("low", "medium", "high") };
  // Thinking is on unless it is turned off.
  if (/glm/.test(model)) return { ...common, effort: "reasoning_effort", effortNames: { ...onOrOff, none: "none" } };
  return { ...common, effort: "none" };
}

export function togetherQuirks(model: string): ChatQuirks {
  const common: ChatQuirks = { reasoningField: "reasoning" };
  if (/gpt-oss/.test(model)) return { ...common, effort: "reasoning_effort", effortNames: nearest("low", "medium", "high") };
  if (/GLM-5\.[3-9]/i.test(model)) return { ...common, effort: "reasoning_effort", effortNames: { none: "low", ...lowHighMax } };
  if (/deepseek-v[34]|glm|kimi-k2\.[56]|qwen3\.[5-9]/i.test(model)) return { ...common, effort: "reasoning", effortNames: onOrOff };
  return { ...common, effort: "none" };
}

/** The reasoning of older ones cannot be turned off, nor that of newer ones asked for beyond `xhigh`. */
export function grokQuirks(model: string): ChatQuirks {
  const common: ChatQuirks = {
    maxTokensField: "max_completion_tokens",
    refused: ["stop", "presence_penalty", "frequency_penalty"],
  };
  if (/non-reasoning|grok-2/.test(model)) return { ...common, effort: "none" };
  if (/grok-4\.3/.test(model)) return { ...common, effort: "reasoning_effort", effortNames: nearest("none", "low", "medium", "high") };
  if (/grok-4\.[5-9]|grok-[5-9]|latest/.test(model)) {
    return { ...common, effort: "reasoning_effort", effortNames: nearest("low", "medium", "high", "xhigh") };
  }
  return { ...common, effort: "none" };
}

/** Models of Claude, Gemini and a few others cache what is marked. */
export function openrouterQuirks(model: string): ChatQuirks {
  return {
    reasoningField: "reasoning_details",
    effort: "reasoning",
    effortNames: { max: "xhigh" },
    documents: true,
    webSearch: "openrouter",
    ...(/claude|gemini|minimax|glm|z-ai/i.test(model) ? { cacheControl: true } : {}),
  };
}
