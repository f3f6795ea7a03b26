/** OpenAI itself, and whoever else is named by `openai/` with an `api_base`. */

import type { ModelQuestion } from "../../sdk/provider.ts";
import { gptChatQuirks, gptResponsesQuirks, needsChat, needsResponses } from "./gpt.ts";
import { chat, responses, type Row } from "./row.ts";

const ownHosts: ReadonlySet<string> = new Set(["api.openai.com", "eu.api.openai.com", "us.api.openai.com"]);

export const openai: Row = {
  names: ["openai"],
  base: "https://api.openai.com/v1",
  baseVariables: ["OPENAI_BASE_URL", "OPENAI_API_BASE"],
  keyVariables: ["OPENAI_API_KEY"],
  // Anthropic's begin alike.
  callersKey: /^sk-(?!ant-)/,
  paramVariables: { organization: ["OPENAI_ORGANIZATION", "OPENAI_ORG_ID"], project: ["OPENAI_PROJECT_ID"] },
  page: "https://developers.openai.com/api/docs/guides/latest-model",
  evidence: "tested",
  hosts: ["eu.api.openai.com", "us.api.openai.com"],
  recognises: /^(gpt-(?!oss)|o[134](-|$)|chatgpt-|ft:(gpt-|o[134]|davinci|babbage)|codex-|text-embedding-)/,
  dialects,
  quirks: gptChatQuirks,
  responsesQuirks: gptResponsesQuirks,
  headers: (params) => [...named(params, "organization", "openai-organization"), ...named(params, "project", "openai-project")],
};

/**
 * OpenAI's own host is asked by Responses, where reasoning goes on between tool calls. Most servers that call themselves
 * compatible have Chat Completions only, and answer 404 to the other: clients of Responses too are translated there, unless
 * `mode: responses` says that it is not so.
 */
function dialects({ model, apiBase }: ModelQuestion): readonly string[] {
  if (needsChat(model)) return [chat];
  const own = apiBase === undefined || ownHosts.has(URL.parse(apiBase)?.host ?? "");
  return own || needsResponses(model) ? [responses, chat] : [chat];
}

function named(params: Readonly<Record<string, unknown>>, key: string, header: string): readonly (readonly [string, string])[] {
  const value = params[key];
  return typeof value === "string" && value !== "" ? [[header, value]] : [];
}
