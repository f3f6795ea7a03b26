/** Reads a request of the hub for wires that are not the hub's own. */

import { createHash } from "node:crypto";
import type { Json } from "../body.ts";
import { ProxyError } from "../errors.ts";
import type { JsonObject } from "../events.ts";
import type { HubRequest, Note, Target } from "../wire.ts";
import type { Conversation, ConversationOptions } from "./conversation.ts";
import { record, text } from "./json.ts";
import { readEffort } from "./read-effort.ts";
import { cacheOf, limitMarks, markLast } from "./read-marks.ts";
import { inlineTools, readSystem } from "./read-system.ts";
import { Tally } from "./read-tally.ts";
import { allowsParallelCalls, readToolChoice, readTools, strings } from "./read-tools.ts";
import { readTurns } from "./read-turns.ts";

/**
 * What was left out or put otherwise is noted, each thing once with its count.
 * The system, the tools and the turns of a conversation that grows are a prefix of those it grows into, marks aside.
 * @throws ProxyError 400 for a request without messages
 */
export function readConversation(request: HubRequest, target: Target, options: ConversationOptions, note: Note): Conversation {
  const { body } = request;
  const messages = messagesOf(body);
  const tally = new Tally();
  const mentioned = new Set<string>();
  const turns = readTurns(messages, { request, target, options, tally, mentioned });
  const { tools, webSearch } = readTools(body["tools"], { mentioned, inline: inlineTools(messages), tally });
  const toolChoice = readToolChoice(body, tools, tally);
  tally.report(note);
  const marked = limitMarks(markLast({ tools, system: readSystem(body["system"]), turns }, cacheOf(body).cache));
  const config = record(body["output_config"]);
  return {
    ...marked,
    webSearch,
    toolChoice,
    parallelToolCalls: allowsParallelCalls(body),
    maxTokens: maxTokens(body, target, note),
    stopSequences: strings(body["stop_sequences"]).filter((sequence) => sequence !== ""),
    temperature: number(body["temperature"]),
    topP: number(body["top_p"]),
    topK: number(body["top_k"]),
    ...readEffort(body, messages),
    outputSchema: record((record(config?.["format"]) ?? record(body["output_format"]))?.["schema"]),
    user: userHash(body),
    session: request.session,
    stream: body["stream"] === true,
  };
}

function messagesOf(body: JsonObject): readonly JsonObject[] {
  const { messages } = body;
  if (!Array.isArray(messages)) throw bad(`messages: found ${messages === undefined ? "nothing" : typeof messages}, wanted a list`);
  if (messages.length === 0) throw bad("messages: found an empty list, wanted at least one message");
  return messages.map((message: Json, index) => {
    const found = record(message);
    if (found === undefined) throw bad(`messages.${index}: found ${message === null ? "null" : typeof message}, wanted an object`);
    return found;
  });
}

function bad(message: string): ProxyError {
  return new ProxyError(message, { status: 400, kind: "invalid_request_error" });
}

/** A model asked for more than it has refuses the request. */
function maxTokens(body: JsonObject, target: Target, note: Note): number | undefined {
  const asked = number(body["max_tokens"]);
  const most = target.modelFacts.maxOutputTokens;
  if (asked === undefined || most === undefined || asked <= most) return asked ?? most;
  note("max_tokens was lowered to what the model can give", { asked, most });
  return most;
}

function number(value: Json | undefined): number | undefined {
  return typeof value === "number" && Number.isFinite(value) ? value : undefined;
}

/** Other vendors take at most 64 characters, and should not learn who it is. */
function userHash(body: JsonObject): string | undefined {
  const id = text(record(body["metadata"])?.["user_id"]);
  return id === undefined || id === "" ? undefined : createHash("sha256").update(id).digest("hex");
}
