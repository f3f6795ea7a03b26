/**
 * What the models of OpenAI take, by generation. Written from https://developers.openai.com/api/docs/guides/latest-model,
 * https://developers.openai.com/api/docs/guides/reasoning, https://developers.openai.com/api/docs/guides/migrate-to-responses
 * and the refusals that the API words itself ("Supported values are: …").
 */

import type { ChatQuirks, ResponsesQuirks } from "../../sdk/quirks.ts";
import { type Effort, nearest } from "./efforts.ts";

interface Generation {
  readonly models: RegExp;
  /** Efforts, least first. Absent: they do not reason. */
  readonly efforts?: readonly [Effort, ...Effort[]];
  /** Efforts that Chat Completions takes, where those are fewer. */
  readonly chatEfforts?: readonly [Effort, ...Effort[]];
  /** They reason between tool calls on Responses only. */
  readonly needsResponses?: boolean;
  /** No PDF. */
  readonly textOnly?: boolean;
}

/** The first that matches counts. */
const generations: readonly Generation[] = [
  {
    models: /^gpt-6\.2/,
    efforts: ["low", "medium", "high", "xhigh", "max"],
    chatEfforts: ["low", "medium", "high", "xhigh"],
    needsResponses: true,
  },
  { models: /^gpt-6(\.1|-astra)/, efforts: ["low", "medium", "high", "xhigh", "max"], needsResponses: true },
  // With tools, Chat Completions takes no effort but `none`.
  { models: /^gpt-(6|5\.6)/, efforts: ["none", "low", "medium", "high", "xhigh", "max"], chatEfforts: ["none"], needsResponses: true },
  { models: /^gpt-5(\.\d)?-chat/ },
  { models: /^gpt-5(\.\d)?-pro/, efforts: ["high"], needsResponses: true },
  { models: /^gpt-5(\.\d)?-codex-max|^gpt-5\.[23]-codex/, efforts: ["low", "medium", "high", "xhigh"], needsResponses: true },
  { models: /^gpt-5(\.\d)?-codex|^codex-/, efforts: ["low", "medium", "high"], needsResponses: true },
  { models: /^gpt-5\.[2-5]/, efforts: ["none", "low", "medium", "high", "xhigh"] },
  { models: /^gpt-5\.1/, efforts: ["none", "low", "medium", "high"] },
  { models: /^gpt-5/, efforts: ["minimal", "low", "medium", "high"] },
  { models: /^o\d+-(pro|deep-research)|^o\d+-mini-deep-research/, efforts: ["low", "medium", "high"], needsResponses: true },
  { models: /^o\d/, efforts: ["low", "medium", "high"] },
  { models: /^gpt-(3|4(?![o.]))/, textOnly: true },
  { models: /^(gpt-(?!oss)|chatgpt-)/ },
];

/** Of fine-tuned models that of the model below: `ft:gpt-4.1:org::id`. */
function generationOf(model: string): Generation | undefined {
  const name = model.startsWith("ft:") ? model.slice("ft:".length) : model;
  return generations.find(({ models }) => models.test(name));
}

/** Whether Chat Completions knows too little of it for an agent. */
export function needsResponses(model: string): boolean {
  return generationOf(model)?.needsResponses === true;
}

/** Whether it is one that Responses does not serve. */
export function needsChat(model: string): boolean {
  return /-search-preview|-audio|-instruct/.test(model);
}

/** Refused while a model reasons. */
const sampling = ["temperature", "top_p", "top_logprobs"];

export function gptChatQuirks(model: string): ChatQuirks {
  const generation = generationOf(model);
  if (generation === undefined) return {};
  const efforts = generation.chatEfforts ?? generation.efforts;
  return {
    maxTokensField: "max_completion_tokens",
    strictTools: true,
    promptCacheKey: true,
    ...(generation.textOnly === true ? {} : { documents: true }),
    ...(model.includes("-search-preview") ? { webSearch: "web_search_options" } : {}),
    ...(efforts === undefined
      ? { effort: "none" }
      : {
          systemRole: "developer",
          effort: "reasoning_effort",
          effortNames: nearest(...efforts),
          refused: [...sampling, "stop"],
        }),
  };
}

export function gptResponsesQuirks(model: string): ResponsesQuirks {
  const generation = generationOf(model);
  const quirks: ResponsesQuirks = { promptCacheKey: true, webSearch: true, documents: generation?.textOnly !== true };
  if (generation?.efforts === undefined) return quirks;
  return { ...quirks, encryptedReasoning: true, refused: sampling };
}
