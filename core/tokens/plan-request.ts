/** Plans the count of everything the model reads: system, tools, and the blocks of all messages. */

import type { RequestBody, Span } from "../../sdk/body.ts";
import { type BlockCollector, createBlockCollector } from "./content-blocks.ts";
import type { CountPlan } from "./count-plan.ts";
import { type ModelProfile, modelProfile } from "./model-profile.ts";
import { planTools } from "./plan-tools.ts";
import { isText, shortText } from "./spans.ts";

export function planRequest(body: RequestBody): CountPlan {
  const model = body.value("model");
  const profile = modelProfile(typeof model === "string" ? model : "");
  const blocks = createBlockCollector(body, profile);
  blocks.addContent(body.field("system"));
  planMessages(body, profile, blocks);
  planTools(body, profile, blocks);
  if (thinksWithBudget(body)) blocks.addFixed(profile.thinkingTokens);
  return { encoding: profile.encoding, ...blocks.result() };
}

interface Message {
  readonly role: string | undefined;
  readonly content: Span | undefined;
}

function planMessages(body: RequestBody, profile: ModelProfile, blocks: BlockCollector): void {
  const list = body.field("messages");
  const messages = list === undefined ? [] : body.elements(list).map((span) => readMessage(body, span));
  if (messages.length === 0) return;
  blocks.addFixed(profile.frameTokens + (messages.length - 1) * profile.messageTokens);
  if (messages.at(-1)?.role === "assistant") blocks.addFixed(-profile.answerTokens);
  const turnStart = profile.keepsThinking || keepsAllThinking(body) ? 0 : messages.findLastIndex((message) => startsTurn(body, message));
  for (const [index, { content }] of messages.entries()) blocks.addContent(content, { dropThinking: index < turnStart });
}

function readMessage(body: RequestBody, span: Span): Message {
  if (isText(body, span)) return { role: "user", content: span };
  const members = body.members(span);
  return { role: shortText(body, members.get("role")), content: members.get("content") };
}

/** Whether the user says something here, rather than only answering tool calls. */
function startsTurn(body: RequestBody, { role, content }: Message): boolean {
  if (role !== "user" || content === undefined) return false;
  if (isText(body, content)) return true;
  return body.elements(content).some((block) => shortText(body, body.members(block).get("type")) !== "tool_result");
}

/** Claude Code asks for this on every request. */
function keepsAllThinking(body: RequestBody): boolean {
  const management = body.field("context_management");
  const edits = management && body.members(management).get("edits");
  if (edits === undefined) return false;
  return body.elements(edits).some((edit) => {
    const members = body.members(edit);
    return shortText(body, members.get("type"))?.startsWith("clear_thinking") === true && shortText(body, members.get("keep")) === "all";
  });
}

function thinksWithBudget(body: RequestBody): boolean {
  const thinking = body.field("thinking");
  return thinking !== undefined && shortText(body, body.members(thinking).get("type")) === "enabled";
}
