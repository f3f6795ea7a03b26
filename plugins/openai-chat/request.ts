/** A request of the hub on this wire. What follows from the conversation alone is the same in every turn. */

import type { Json } from "../../sdk/body.ts";
import type { JsonObject } from "../../sdk/events.ts";
import type { Conversation } from "../../sdk/hub/conversation.ts";
import { lowerSchema } from "../../sdk/hub/json-schema.ts";
import { readConversation } from "../../sdk/hub/read-conversation.ts";
import { ToolNames } from "../../sdk/hub/tool-names.ts";
import type { ChatQuirks } from "../../sdk/quirks.ts";
import type { Encoded, HubRequest, Note, Target } from "../../sdk/wire.ts";
import { cacheMarks } from "./cache-marks.ts";
import { encodeMessages } from "./messages.ts";
import { ChatReplyReader } from "./reply.ts";
import { toolFields } from "./tools.ts";

/** @throws ProxyError 400 for what cannot be asked on this wire at all */
export function encodeRequest(request: HubRequest, target: Target, note: Note): Encoded {
  const quirks = target.quirks.chat ?? {};
  const { modelFacts } = target;
  const options = {
    midSystem: quirks.midSystem !== false && quirks.systemRole !== "user",
    images: quirks.textContentOnly !== true && modelFacts.images !== false,
    documents: quirks.textContentOnly !== true && quirks.documents === true && modelFacts.documents !== false,
  };
  const conversation = readConversation(request, target, options, note);
  const names = new ToolNames({ pattern: /[a-zA-Z0-9_-]/, maxLength: 64 });
  const marks = cacheMarks(quirks.cacheControl === true);
  const format = responseFormat(conversation, quirks, note);
  // The tools first: their aliases are what models are told, whatever the history says.
  const tools = toolFields(conversation, { quirks, names, marks, target, note });
  const fields: JsonObject = {
    model: target.model,
    messages: encodeMessages(conversation, { quirks, names, marks, instruction: format.instruction }),
    ...tools,
    ...format.field,
    ...effortFields(conversation, quirks, target, note),
    ...limitFields(conversation, quirks, note),
    ...samplingFields(conversation, quirks, note),
    ...callerFields(conversation, quirks),
    ...(conversation.stream ? { stream: true, ...(quirks.streamUsage === false ? {} : { stream_options: { include_usage: true } }) } : {}),
  };
  const body = fitted(fields, quirks, note);
  return { body, reader: new ChatReplyReader({ target, names, conversation, estimatedInputTokens: request.estimatedInputTokens, note }) };
}

interface Format {
  readonly field: JsonObject;
  readonly instruction: string | undefined;
}

function responseFormat({ outputSchema }: Conversation, quirks: ChatQuirks, note: Note): Format {
  if (outputSchema === undefined) return { field: {}, instruction: undefined };
  if (quirks.jsonSchema === false) {
    note("output schema asked for in words");
    const instruction = `Answer with one JSON value and nothing else. It must be valid under this JSON Schema: ${JSON.stringify(outputSchema)}`;
    return { field: {}, instruction };
  }
  const json_schema = { name: "output", schema: lowerSchema(outputSchema, "openai-strict", note), strict: true };
  return { field: { response_format: { type: "json_schema", json_schema } }, instruction: undefined };
}

/** Models that are not known to reason are not asked for it, unless the host is known to take the question from any. */
function effortFields({ effort }: Conversation, quirks: ChatQuirks, { modelFacts }: Target, note: Note): JsonObject {
  const way = quirks.effort ?? (modelFacts.reasoning === true ? "reasoning_effort" : "none");
  if (effort === undefined || modelFacts.reasoning === false || way === "none") return {};
  const named = quirks.effortNames?.[effort];
  const name = named === undefined ? effort : named;
  if (name !== effort) note("effort put otherwise", { from: effort, to: name });
  switch (way) {
    case "reasoning_effort":
      return name === null ? {} : { reasoning_effort: name };
    case "thinking":
      if (effort === "none") return { thinking: { type: "disabled" } };
      // Only where the host has names for it; else thinking is on or off.
      return { thinking: { type: "enabled" }, ...(named == null ? {} : { reasoning_effort: named }) };
    case "reasoning":
    default:
      if (effort === "none") return { reasoning: { enabled: false } };
      return { reasoning: name === null ? { enabled: true } : { effort: name } };
  }
}

function limitFields({ maxTokens, stopSequences }: Conversation, quirks: ChatQuirks, note: Note): JsonObject {
  const limit = quirks.stopLimit ?? 4;
  const stop = stopSequences.slice(0, limit);
  if (stop.length < stopSequences.length)
    note("stop sequences dropped", { kept: stop.length, dropped: stopSequences.length - stop.length });
  return {
    ...(maxTokens === undefined ? {} : { [quirks.maxTokensField ?? "max_tokens"]: maxTokens }),
    ...(stop.length === 0 ? {} : { stop }),
  };
}

function samplingFields({ temperature, topP, topK }: Conversation, quirks: ChatQuirks, note: Note): JsonObject {
  const isFixed = quirks.temperature === "fixed";
  if (isFixed && (temperature ?? topP) !== undefined) note("sampling dropped: it is fixed here");
  if (topK !== undefined && quirks.topK !== true) note("top_k dropped");
  return {
    ...(temperature === undefined || isFixed ? {} : { temperature: clamped(temperature, quirks.temperature, note) }),
    ...(topP === undefined || isFixed ? {} : { top_p: topP }),
    ...(topK === undefined || quirks.topK !== true ? {} : { top_k: topK }),
  };
}

function clamped(temperature: number, range: ChatQuirks["temperature"], note: Note): number {
  if (range === undefined || range === "fixed") return temperature;
  const value = Math.min(Math.max(temperature, range[0]), range[1]);
  if (value !== temperature) note("temperature clamped", { from: temperature, to: value });
  return value;
}

function callerFields({ user, session }: Conversation, quirks: ChatQuirks): JsonObject {
  const field = quirks.userField ?? "user";
  return {
    ...(user === undefined || field === "none" ? {} : { [field]: user }),
    ...(session === undefined || quirks.promptCacheKey !== true ? {} : { prompt_cache_key: session }),
  };
}

/** In the host's own terms: what it refuses is left out, what it calls otherwise is renamed, its defaults stand behind. */
function fitted(fields: JsonObject, quirks: ChatQuirks, note: Note): JsonObject {
  const refused = new Set(quirks.refused);
  const kept = Object.entries(fields).filter(([name]) => {
    if (refused.has(name)) note("field dropped: the provider refuses it", { field: name });
    return !refused.has(name);
  });
  const renamed = kept.map(([name, value]): [string, Json] => [quirks.renamed?.[name] ?? name, value]);
  const body = Object.fromEntries(renamed);
  const missing = Object.entries(quirks.defaults ?? {}).filter(([name]) => !Object.hasOwn(body, name));
  return { ...body, ...Object.fromEntries(missing) };
}
