/** A client's request as one of the hub. */

import type { Json } from "../../sdk/body.ts";
import type { Received, RequestHead } from "../../sdk/dialect.ts";
import type { JsonObject } from "../../sdk/events.ts";
import { record, text } from "../../sdk/hub/json.ts";
import type { Note } from "../../sdk/wire.ts";
import { readClientTools } from "./client-tools.ts";
import { decodeToolFields } from "./decode-choice.ts";
import { refused, textBlock } from "./decode-content.ts";
import { decodeItems } from "./decode-items.ts";

/** Here nobody has to say how long an answer may be, in the hub everybody; what a model cannot give is cut down later. */
const defaultMaxTokens = 32_000;

const sessionHeaders = ["x-session-id", "session_id", "session-id", "conversation_id"];

export function readHead({ body, headers }: Received): RequestHead {
  const named = sessionHeaders.map((name) => headers.get(name)).find((value) => value !== undefined && value !== "");
  const session = named ?? text(body.value("prompt_cache_key"));
  return {
    model: text(body.value("model")) ?? "",
    stream: body.value("stream") === true,
    session: session !== undefined && /^[\x21-\x7e]{1,200}$/.test(session) ? session : undefined,
  };
}

/** @throws ProxyError 400 that names the path of what is no request, or needs what is stored elsewhere */
export function decodeRequest(received: Received, note: Note): JsonObject {
  const request = received.body.json();
  const { model, stream } = readHead(received);
  refuseStored(request);
  noteUnknown(request, note);
  const { system, messages, effort } = decodeItems(request["input"], note);
  const tools = readClientTools(request, note);
  const format = decodeFormat(request["text"]);
  const thinking = decodeThinking(request["reasoning"], effort);
  const config = { ...thinking.config, ...format.config };
  const words = [...textBlock(text(request["instructions"]) ?? ""), ...system, ...textBlock(format.instruction)];
  return {
    model,
    messages,
    ...(words.length === 0 ? {} : { system: words }),
    ...decodeToolFields(request, tools, note),
    ...callerField(request),
    max_tokens: positive(request["max_output_tokens"]) ?? defaultMaxTokens,
    ...thinking.fields,
    ...(Object.keys(config).length === 0 ? {} : { output_config: config }),
    ...sampling(request, thinking.isOn, note),
    stream,
  };
}

/** Nothing is kept here. */
function refuseStored(request: JsonObject): void {
  for (const field of ["previous_response_id", "conversation"]) {
    if (request[field] === undefined || request[field] === null) continue;
    throw refused(
      `${field}: found a reference to an earlier response, and none is stored here: send the whole conversation as \`input\`, with \`store: false\``,
    );
  }
  if (request["background"] === true)
    throw refused("background: found true, and no response is stored here to be fetched later: leave it out");
  if (record(request["prompt"]) !== undefined) {
    throw refused(
      "prompt: found a reference to a stored template, which only its own host can read: send its text as `instructions` or `input`",
    );
  }
}

interface Thinking {
  readonly fields: JsonObject;
  readonly config: JsonObject;
  readonly isOn: boolean;
}

function decodeThinking(value: Json | undefined, later: string | undefined): Thinking {
  const reasoning = record(value);
  const effort = later ?? text(reasoning?.["effort"]);
  if (effort === "none") return { fields: { thinking: { type: "disabled" } }, config: {}, isOn: false };
  const summary = text(reasoning?.["summary"]) ?? text(reasoning?.["generate_summary"]);
  if (effort === undefined && summary === undefined) return { fields: {}, config: {}, isOn: false };
  const display = summary === undefined || summary === "none" ? {} : { display: "summarized" };
  return {
    fields: { thinking: { type: "adaptive", ...display } },
    config: effort === undefined ? {} : { effort: effort === "minimal" ? "low" : effort },
    isOn: true,
  };
}

interface Format {
  readonly config: JsonObject;
  readonly instruction: string;
}

function decodeFormat(value: Json | undefined): Format {
  const options = record(value);
  const format = record(options?.["format"]);
  const verbosity = text(options?.["verbosity"]);
  const brief = verbosity === "low" ? "Keep the answer short." : verbosity === "high" ? "Answer in detail." : "";
  const schema = record(format?.["schema"]);
  if (format?.["type"] === "json_schema" && schema !== undefined) {
    return { config: { format: { type: "json_schema", schema } }, instruction: brief };
  }
  const wantsJson = format?.["type"] === "json_object" || format?.["type"] === "json_schema";
  return { config: {}, instruction: wantsJson ? "Answer with one valid JSON object and nothing else." : brief };
}

function callerField(request: JsonObject): JsonObject {
  const user = text(request["safety_identifier"]) || text(request["user"]);
  return user === undefined || user === "" ? {} : { metadata: { user_id: user } };
}

/** The hub goes from 0 to 1, and thinks at one temperature only. */
function sampling(request: JsonObject, thinks: boolean, note: Note): JsonObject {
  const temperature = number(request["temperature"]);
  const topP = number(request["top_p"]);
  if (thinks) {
    if ((temperature ?? topP) !== undefined) note("sampling was left out: thinking is on");
    return {};
  }
  if (temperature !== undefined && temperature > 1) note("the temperature was lowered to what the hub has", { from: temperature, to: 1 });
  return {
    ...(temperature === undefined ? {} : { temperature: Math.min(Math.max(temperature, 0), 1) }),
    ...(topP === undefined ? {} : { top_p: topP }),
  };
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
  `model input instructions tools tool_choice parallel_tool_calls max_tool_calls max_output_tokens reasoning text temperature top_p
  stream stream_options store include user safety_identifier prompt_cache_key prompt_cache_retention prompt_cache_options metadata
  background previous_response_id conversation prompt service_tier client_metadata`.split(/\s+/),
);

function noteUnknown(request: JsonObject, note: Note): void {
  const dropped = Object.keys(request).filter((field) => {
    const isSaid = request[field] !== null && !(field === "truncation" && request[field] === "disabled");
    return !known.has(field) && isSaid && /^[a-z][a-z0-9_]{0,39}$/.test(field);
  });
  if (dropped.length > 0) note("fields were left out that the hub does not have", { fields: dropped.slice(0, 32) });
}
