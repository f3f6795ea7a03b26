/** Requests that end in the beginning of their reply, and who takes such. */

import type { Json } from "../../sdk/body.ts";
import type { JsonObject } from "../../sdk/events.ts";
import { hubDialect } from "../../sdk/hub/dialect.ts";
import { record, text } from "../../sdk/hub/json.ts";
import { plainId } from "../models/known.ts";
import type { Deployment } from "../routing/deployment.ts";

/**
 * Claude up to 4.5, over its own protocol: https://platform.claude.com/docs/en/build-with-claude/prompt-engineering/prefill-claudes-response,
 * refused since: https://platform.claude.com/docs/en/about-claude/models/whats-new-claude-4-6#prefill-removal.
 * Hosts of Chat Completions want a field of their own for it (`prefix`, `continue_final_message`), or begin a new reply.
 */
const taking = /^claude-(?:[23]\b|instant\b|(?:opus|sonnet|haiku)-[34](?:-[0-5])?$)/;

/** Whether a deployment goes on from a text that stands at the end of its request. Unknown is no. */
export function prefills({ info, modelFacts, provider, question, model }: Deployment): boolean {
  const said = info["supports_assistant_prefill"];
  if (typeof said === "boolean") return said;
  if (modelFacts.prefill !== undefined) return modelFacts.prefill;
  return provider?.dialects(question, "generate")[0] === hubDialect && taking.test(plainId(model));
}

/**
 * @param request of the hub @param prefix without white space at its end, which the API refuses there
 * @returns undefined for a request whose reply cannot be begun for it: the API refuses that together with thinking, and a
 * reply that has to be of a format, or a call, is not left to what a text happened to begin with
 */
export function withPrefill(request: JsonObject, prefix: string): JsonObject | undefined {
  // Of nothing there is nothing to go on from: the same request is asked again.
  if (prefix === "") return request;
  const thinking = text(record(request["thinking"])?.["type"]) ?? "disabled";
  const format = record(request["output_config"])?.["format"] ?? request["output_format"];
  const choice = text(record(request["tool_choice"])?.["type"]);
  if (thinking !== "disabled" || (format !== undefined && format !== null) || choice === "any" || choice === "tool") return undefined;
  const messages = Array.isArray(request["messages"]) ? request["messages"] : [];
  const last = record(messages.at(-1));
  if (last?.["role"] !== "assistant") return { ...request, messages: [...messages, { role: "assistant", content: prefix }] };
  return { ...request, messages: [...messages.slice(0, -1), { ...last, content: lengthened(last["content"], prefix) }] };
}

/** What the caller itself began the reply with, which no reply repeats. */
function lengthened(content: Json | undefined, prefix: string): Json {
  if (typeof content === "string") return content + prefix;
  const blocks = Array.isArray(content) ? content : [];
  const last = record(blocks.at(-1));
  const words = last?.["type"] === "text" ? text(last["text"]) : undefined;
  if (last === undefined || words === undefined) return [...blocks, { type: "text", text: prefix }];
  return [...blocks.slice(0, -1), { ...last, text: words + prefix }];
}
