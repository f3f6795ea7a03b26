/** A client's request as one of the hub. */

import type { Json } from "../../sdk/body.ts";
import type { Received, RequestHead } from "../../sdk/dialect.ts";
import type { JsonObject } from "../../sdk/events.ts";
import { record, text } from "../../sdk/hub/json.ts";
import type { Note } from "../../sdk/wire.ts";
import { decodeMessages } from "./decode-messages.ts";
import { decodeTools } from "./decode-tools.ts";
import { deploymentChatPath } from "./wire.ts";

/** Here nobody has to say how long an answer may be, in the hub everybody; what a model cannot give is cut down later. */
const defaultMaxTokens = 32_000;

export function readHead({ body, path, headers }: Received): RequestHead {
  const named = deploymentChatPath.exec(path)?.[1];
  const session = headers.get("x-session-id") ?? text(body.value("prompt_cache_key")) ?? text(body.value("litellm_session_id"));
  return {
    model: named === undefined ? (text(body.value("model")) ?? "") : decodePath(named),
    stream: body.value("stream") === true,
    session: session === "" ? undefined : session,
  };
}

function decodePath(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}

/** @throws ProxyError 400 that names the path of what is no request */
export function decodeRequest(received: Received, note: Note): JsonObject {
  const request = received.body.json();
  const { model, stream } = readHead(received);
  const { system, messages } = decodeMessages(request["messages"], note);
  const format = decodeFormat(request["response_format"]);
  const thinking = decodeThinking(request);
  const config = { ...thinking.config, ...format.config };
  noteUnknown(request, note);
  const texts = format.instruction === undefined ? system : [...system, { type: "text", text: format.instruction }];
  return {
    model,
    messages,
    ...(texts.length === 0 ? {} : { system: texts }),
    ...decodeTools(request, note),
    ...callerField(request),
    max_tokens: positive(request["max_completion_tokens"]) ?? positive(request["max_tokens"]) ?? defaultMaxTokens,
    ...(thinking.thinking === undefined ? {} : { thinking: thinking.thinking }),
    ...(Object.keys(config).length === 0 ? {} : { output_config: config }),
    ...sampling(request, thinking.isOn, note),
    ...stopField(request["stop"]),
    stream,
  };
}

interface Thinking {
  readonly thinking?: JsonObject;
  readonly config: JsonObject;
  readonly isOn: boolean;
}

/** `reasoning_effort`, OpenRouter's `reasoning`, or the hub's own `thinking`, which LiteLLM takes here, too. */
function decodeThinking(request: JsonObject): Thinking {
  const own = record(request["thinking"]);
  const reasoning = record(request["reasoning"]);
  const asked = request["reasoning_effort"] ?? reasoning?.["effort"];
  const effort = text(record(asked)?.["effort"]) ?? text(asked);
  const config = effort === undefined || effort === "none" || effort === "default" ? {} : { effort: effort === "minimal" ? "low" : effort };
  if (own !== undefined) return { thinking: own, config, isOn: own["type"] !== "disabled" };
  if (effort === "none" || reasoning?.["enabled"] === false) return { thinking: { type: "disabled" }, config: {}, isOn: false };
  const isOn = effort !== undefined || reasoning?.["enabled"] === true;
  return isOn ? { thinking: { type: "adaptive" }, config, isOn } : { config, isOn };
}

interface Format {
  readonly config: JsonObject;
  readonly instruction: string | undefined;
}

function decodeFormat(value: Json | undefined): Format {
  const format = record(value);
  const schema = record(record(format?.["json_schema"])?.["schema"]);
  if (format?.["type"] === "json_schema" && schema !== undefined) {
    return { config: { format: { type: "json_schema", schema } }, instruction: undefined };
  }
  const wantsJson = format?.["type"] === "json_object" || format?.["type"] === "json_schema";
  return { config: {}, instruction: wantsJson ? "Answer with one valid JSON object and nothing else." : undefined };
}

function callerField(request: JsonObject): JsonObject {
  const user = text(request["safety_identifier"]) ?? text(request["user"]);
  return user === undefined || user === "" ? {} : { metadata: { user_id: user } };
}

/** The hub goes from 0 to 1, and thinks at one temperature only. */
function sampling(request: JsonObject, thinks: boolean, note: Note): JsonObject {
  const temperature = number(request["temperature"]);
  const topP = number(request["top_p"]);
  const topK = positive(request["top_k"]);
  if (thinks) {
    if ((temperature ?? topP ?? topK) !== undefined) note("sampling dropped: thinking is on");
    return {};
  }
  if (temperature !== undefined && temperature > 1) note("temperature clamped", { from: temperature, to: 1 });
  return {
    ...(temperature === undefined ? {} : { temperature: Math.min(Math.max(temperature, 0), 1) }),
    ...(topP === undefined ? {} : { top_p: topP }),
    ...(topK === undefined ? {} : { top_k: topK }),
  };
}

function stopField(stop: Json | undefined): JsonObject {
  const sequences = (Array.isArray(stop) ? stop : [stop ?? null]).flatMap((sequence) => text(sequence) || []);
  return sequences.length === 0 ? {} : { stop_sequences: sequences };
}

function number(value: Json | undefined): number | undefined {
  return typeof value === "number" && Number.isFinite(value) ? value : undefined;
}

function positive(value: Json | undefined): number | undefined {
  const found = number(value);
  return found !== undefined && Number.isInteger(found) && found > 0 ? found : undefined;
}

/** Fields that are read here, and those that change nothing. */
const known = new Set(
  `model messages tools functions tool_choice function_call parallel_tool_calls web_search_options response_format
  reasoning reasoning_effort thinking max_tokens max_completion_tokens temperature top_p top_k stop stream stream_options user
  safety_identifier prompt_cache_key litellm_session_id`.split(/\s+/),
);

function noteUnknown(request: JsonObject, note: Note): void {
  const dropped = Object.keys(request).filter((field) => !known.has(field) && request[field] !== null);
  // `n` is one unless somebody wants more.
  const told = dropped.filter((field) => field !== "n" || request["n"] !== 1);
  if (told.length > 0) note("fields dropped that the hub has not", { fields: told.slice(0, 32) });
}
