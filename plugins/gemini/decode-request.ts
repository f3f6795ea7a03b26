/** A request of a client of this dialect in the hub's vocabulary. */

import type { Json } from "../../sdk/body.ts";
import type { Received, RequestHead } from "../../sdk/dialect.ts";
import { ProxyError } from "../../sdk/errors.ts";
import type { JsonObject } from "../../sdk/events.ts";
import { record, text } from "../../sdk/hub/json.ts";
import type { Note } from "../../sdk/wire.ts";
import { decodeContents } from "./decode-contents.ts";
import { decodeToolChoice, decodeTools, readNames } from "./decode-tools.ts";
import { toJsonSchema } from "./open-api.ts";
import { readPath } from "./paths.ts";
import { field, fieldNames, objects } from "./wire.ts";

export function readHead(received: Received): RequestHead {
  const path = readPath(received.path);
  return { model: path?.model ?? "", stream: path?.stream ?? false, session: undefined };
}

/** The hub wants a limit; who names none is given what every current model can answer. */
const defaultMaxTokens = 32_000;

/** Whether the client asked to see what the model thinks. */
export function wantsThoughts(body: JsonObject): boolean {
  return field(record(field(configOf(body), "thinkingConfig")), "includeThoughts") === true;
}

export function decode(received: Received, note: Note): JsonObject {
  const whole = received.body.json();
  const body = (received.operation === "count_tokens" ? record(field(whole, "generateContentRequest")) : undefined) ?? whole;
  if (field(body, "cachedContent") !== undefined) {
    const message =
      "cachedContent: found the name of a cache, wanted none: it is kept by one vendor, and this model is another's. Send the contents themselves.";
    throw new ProxyError(message, { status: 400, kind: "invalid_request_error" });
  }
  const { model, stream } = readHead(received);
  const names = readNames(body["tools"]);
  const config = readConfig(configOf(body), note);
  const system = [...decodeSystem(field(body, "systemInstruction")), ...config.system];
  const messages = decodeContents(body["contents"], { names, note });
  const tools = decodeTools(body["tools"], names, note);
  const choice = tools.length === 0 ? undefined : decodeToolChoice(field(body, "toolConfig"), names, note);
  const dropped = fieldNames(body).filter((key) => !readFields.has(key));
  if (dropped.length > 0) note("fields were left out that the hub has nothing like", { fields: dropped });
  return {
    model,
    ...config.fields,
    ...(system.length === 0 ? {} : { system }),
    messages,
    ...(tools.length === 0 ? {} : { tools }),
    ...(choice === undefined ? {} : { tool_choice: choice }),
    stream,
  };
}

const readFields = new Set(["contents", "systemInstruction", "tools", "toolConfig", "generationConfig", "model"]);

function configOf(body: JsonObject): JsonObject {
  return record(field(body, "generationConfig")) ?? {};
}

function decodeSystem(instruction: Json | undefined): readonly JsonObject[] {
  if (typeof instruction === "string") return instruction === "" ? [] : [{ type: "text", text: instruction }];
  return objects(record(instruction)?.["parts"]).flatMap((part) => {
    const words = text(part["text"]) ?? "";
    return words === "" ? [] : [{ type: "text", text: words }];
  });
}

interface ReadConfig {
  readonly fields: JsonObject;
  /** What can be asked for in words alone. */
  readonly system: readonly JsonObject[];
}

function readConfig(config: JsonObject, note: Note): ReadConfig {
  const maxTokens = number(field(config, "maxOutputTokens"));
  const stops = field(config, "stopSequences");
  const schema = outputSchema(config);
  const isJson = text(field(config, "responseMimeType")) === "application/json";
  const effort = readThinking(config);
  const dropped = fieldNames(config).filter((key) => !readConfigFields.has(key));
  if (dropped.length > 0) note("fields of generationConfig were left out that the hub has nothing like", { fields: dropped });
  const outputConfig = {
    ...(effort.effort === undefined ? {} : { effort: effort.effort }),
    ...(isJson && schema !== undefined ? { format: { type: "json_schema", schema } } : {}),
  };
  return {
    fields: {
      max_tokens: maxTokens !== undefined && maxTokens > 0 ? maxTokens : defaultMaxTokens,
      ...(Array.isArray(stops) && stops.length > 0 ? { stop_sequences: stops } : {}),
      ...sampling(config, note),
      ...(effort.thinking === undefined ? {} : { thinking: effort.thinking }),
      ...(Object.keys(outputConfig).length === 0 ? {} : { output_config: outputConfig }),
    },
    system: isJson && schema === undefined ? [{ type: "text", text: "Answer with JSON alone." }] : [],
  };
}

const readConfigFields = new Set([
  "maxOutputTokens",
  "stopSequences",
  "temperature",
  "topP",
  "topK",
  "thinkingConfig",
  "responseMimeType",
  "responseSchema",
  "responseJsonSchema",
]);

/** Up to 2 here, and up to 1 in the hub. */
function sampling(config: JsonObject, note: Note): JsonObject {
  const temperature = number(config["temperature"]);
  const topP = number(field(config, "topP"));
  const topK = number(field(config, "topK"));
  if (temperature !== undefined && temperature > 1) note("temperature was lowered to 1, the most that the hub has", { asked: temperature });
  return {
    ...(temperature === undefined ? {} : { temperature: Math.min(1, Math.max(0, temperature)) }),
    ...(topP === undefined ? {} : { top_p: topP }),
    ...(topK === undefined ? {} : { top_k: Math.round(topK) }),
  };
}

function outputSchema(config: JsonObject): JsonObject | undefined {
  const schema = record(field(config, "responseJsonSchema"));
  const openApi = record(field(config, "responseSchema"));
  return schema ?? (openApi === undefined ? undefined : toJsonSchema(openApi));
}

interface ReadThinking {
  readonly thinking?: JsonObject;
  readonly effort?: string;
}

/** Who says nothing of thinking leaves it to the model. A budget of 0 forbids it, one of -1 leaves it to the model. */
function readThinking(config: JsonObject): ReadThinking {
  const thinking = record(field(config, "thinkingConfig"));
  if (thinking === undefined) return {};
  const level = text(field(thinking, "thinkingLevel"))?.toLowerCase();
  const budget = number(field(thinking, "thinkingBudget"));
  if (budget === 0) return { thinking: { type: "disabled" } };
  const effort = effortOfLevel(level) ?? (budget === undefined || budget < 0 ? undefined : bandOf(budget));
  const display = field(thinking, "includeThoughts") === true ? "summarized" : "omitted";
  return { thinking: { type: "adaptive", display }, ...(effort === undefined ? {} : { effort }) };
}

function effortOfLevel(level: string | undefined): string | undefined {
  if (level === "minimal") return "low";
  return level === "low" || level === "medium" || level === "high" ? level : undefined;
}

/** The same bands in which the hub reads its own budgets. */
function bandOf(budget: number): string {
  if (budget < 4096) return "low";
  return budget < 16_384 ? "medium" : "high";
}

function number(value: Json | undefined): number | undefined {
  return typeof value === "number" && Number.isFinite(value) ? value : undefined;
}
