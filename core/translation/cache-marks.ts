/**
 * Marks for the hub's prompt cache, for clients whose own dialect keeps prefixes without being asked: without marks, an
 * agent's conversation is paid for in full at every turn.
 */

import type { Json, RequestBody } from "../../sdk/body.ts";
import type { JsonObject } from "../../sdk/events.ts";
import { record } from "../../sdk/hub/json.ts";
import { createMadeBody } from "../body/made-body.ts";

const mark = { cache_control: { type: "ephemeral" } };

/**
 * Three marks: the end of what the system says, and the ends of the user's last two turns, since that of the turn before is
 * where the last prefix was kept. A single question is asked once, and a client that marks knows better.
 */
export function withCacheMarks(body: RequestBody): RequestBody {
  const request = body.json();
  const system = listOf(request["system"]);
  const messages = listOf(request["messages"]);
  if (!isAgents(request, messages) || [...system, ...messages.flatMap(blocksOf)].some(isMarked)) return body;
  const users = new Set(messages.flatMap((message, index) => (record(message)?.["role"] === "user" ? [index] : [])).slice(-2));
  return createMadeBody({
    ...request,
    ...(system.length === 0 ? {} : { system: markedLast(system) }),
    messages: messages.map((message, index) => (users.has(index) ? markedMessage(message) : message)),
  });
}

function isAgents(request: JsonObject, messages: readonly Json[]): boolean {
  return listOf(request["tools"]).length > 0 || messages.some((message) => record(message)?.["role"] === "assistant");
}

function markedMessage(value: Json): Json {
  const message = record(value);
  return message === undefined ? value : { ...message, content: markedLast(blocksOf(message)) };
}

function markedLast(blocks: readonly Json[]): readonly Json[] {
  const last = record(blocks.at(-1));
  return last === undefined ? blocks : [...blocks.slice(0, -1), { ...last, ...mark }];
}

function blocksOf(message: Json): readonly Json[] {
  const content = record(message)?.["content"];
  return typeof content === "string" ? [{ type: "text", text: content }] : listOf(content);
}

function isMarked(block: Json): boolean {
  return record(block)?.["cache_control"] !== undefined;
}

function listOf(value: Json | undefined): readonly Json[] {
  return Array.isArray(value) ? value : [];
}
