/** A request of the hub as one of the Converse wire. */

import { ProxyError } from "../../sdk/errors.ts";
import type { JsonObject } from "../../sdk/events.ts";
import type { CacheMark, Conversation } from "../../sdk/hub/conversation.ts";
import { readConversation } from "../../sdk/hub/read-conversation.ts";
import { ToolNames } from "../../sdk/hub/tool-names.ts";
import type { Encoded, HubRequest, Note, Target } from "../../sdk/wire.ts";
import { writeMessages } from "./content.ts";
import { type Family, claudeTraits } from "./models.ts";
import { askedOf, listParam } from "./params.ts";
import { type Reasoning, writeReasoningFields } from "./reasoning.ts";
import { createReader } from "./reply.ts";
import { writeTools } from "./tools.ts";
import type { WireCachePoint, WireInferenceConfig, WireOutputConfig, WireRequest } from "./wire.ts";

export function encode(request: HubRequest, target: Target, notes: Note): Encoded {
  const note = once(notes);
  const { family, knownAs } = askedOf(target);
  const { images, documents } = target.modelFacts;
  const options = { midSystem: false, images: images ?? true, documents: documents ?? true };
  const conversation = readConversation(request, target, options, note);
  const names = new ToolNames({ pattern: /[a-zA-Z0-9_-]/, maxLength: 64 });
  const cachePoint = cacheWriter(family, knownAs);
  const reasoning = writeReasoningFields({ family, knownAs, conversation, body: request.body, note });
  const toolConfig = writeTools(conversation, {
    family,
    knownAs,
    thinks: reasoning.thinks,
    names,
    note,
    // Nova keeps no prefix that ends in its tools.
    cachePoint: family === "claude" ? cachePoint : undefined,
  });
  const richResults = family === "claude" || family === "nova" || family === "nova-2";
  const messages = writeMessages(conversation.turns, { names, note, cachePoint, richResults });
  const system = conversation.system.flatMap(({ text, cache }) => {
    if (text.trim() === "") return [];
    return cache === undefined || cachePoint === undefined ? [{ text }] : [{ text }, cachePoint(cache)];
  });
  const inferenceConfig = writeInference(conversation, reasoning, note);
  const additional = { ...reasoning.fields, ...writeFamilyFields(family, conversation, reasoning, target, note) };
  const outputConfig = writeOutput(conversation, family, note);
  noteRest(conversation, target, note);
  const body: WireRequest = {
    ...(system.length === 0 ? {} : { system }),
    messages,
    ...(toolConfig === undefined ? {} : { toolConfig }),
    ...(Object.keys(inferenceConfig).length === 0 ? {} : { inferenceConfig }),
    ...(Object.keys(additional).length === 0 ? {} : { additionalModelRequestFields: additional }),
    ...(outputConfig === undefined ? {} : { outputConfig }),
    ...ofParams(target.params),
  };
  return { body, reader: createReader({ request, target, names, note }) };
}

function cacheWriter(family: Family, knownAs: string): ((mark: CacheMark) => WireCachePoint) | undefined {
  if (family !== "claude" && family !== "nova" && family !== "nova-2") return undefined;
  const isLong = family === "claude" && claudeTraits(knownAs).longCache;
  return ({ ttl }) => ({ cachePoint: ttl === "1h" && isLong ? { type: "default", ttl } : { type: "default" } });
}

function writeInference(conversation: Conversation, { sampling, limit }: Reasoning, note: Note): WireInferenceConfig {
  const { maxTokens, temperature, topP, topK, stopSequences } = conversation;
  if (!sampling && (temperature ?? topP ?? topK) !== undefined)
    note("temperature, top_p and top_k were left out: the model takes none here");
  const sequences = stopSequences.filter((sequence) => sequence.trim() !== "");
  return {
    ...(limit && maxTokens !== undefined ? { maxTokens } : {}),
    ...(sampling && temperature !== undefined ? { temperature } : {}),
    // Newer models refuse both at once.
    ...(sampling && topP !== undefined && temperature === undefined ? { topP } : {}),
    ...(sequences.length === 0 ? {} : { stopSequences: sequences }),
  };
}

function writeFamilyFields(
  family: Family,
  { topK, temperature, topP }: Conversation,
  { sampling }: Reasoning,
  target: Target,
  note: Note,
): JsonObject {
  if (sampling && temperature !== undefined && topP !== undefined) note("top_p was left out beside temperature");
  const betas = family === "claude" ? listParam(target.params, "anthropic_beta") : [];
  const named: JsonObject = betas.length === 0 ? {} : { anthropic_beta: betas };
  if (topK === undefined || !sampling) return named;
  if (family === "claude") return { ...named, top_k: topK };
  if (family === "nova" || family === "nova-2") return { inferenceConfig: { topK } };
  note("top_k was left out: this wire has no such field");
  return named;
}

function writeOutput({ outputSchema }: Conversation, family: Family, note: Note): WireOutputConfig | undefined {
  if (outputSchema === undefined) return undefined;
  if (family === "nova" || family === "nova-2") {
    note("the schema of the reply was left out: this model takes none");
    return undefined;
  }
  const jsonSchema = { name: "reply", schema: JSON.stringify(outputSchema) };
  return { textFormat: { type: "json_schema", structure: { jsonSchema } } };
}

/** @throws ProxyError 400 for a request that is a search and nothing else */
function noteRest({ webSearch, parallelToolCalls, tools }: Conversation, target: Target, note: Note): void {
  if (webSearch !== undefined && tools.length === 0) {
    const message = `The provider "${target.providerName}" has no web search. Route requests for it to one that has, e.g. by a rule for tools whose type begins with "web_search".`;
    throw new ProxyError(message, { status: 400, kind: "invalid_request_error" });
  }
  if (webSearch !== undefined) note("web search was left out: this wire has none");
  if (!parallelToolCalls && tools.length > 0) note("disable_parallel_tool_use was left out: this wire has no such field");
}

/** Settings of the deployment that are fields of the wire. */
function ofParams(params: Target["params"]): Partial<WireRequest> {
  const tier = params["serviceTier"] ?? params["service_tier"];
  return {
    ...given("guardrailConfig", params["guardrailConfig"]),
    ...given("performanceConfig", params["performanceConfig"]),
    ...given("requestMetadata", params["requestMetadata"]),
    ...given("serviceTier", typeof tier === "string" ? { type: tier } : tier),
  };
}

function given(field: string, value: unknown): Record<string, JsonObject> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return {};
  // What a configuration holds is JSON, as far as it can be sent at all.
  const json: JsonObject = JSON.parse(JSON.stringify(value));
  return { [field]: json };
}

/** The same thing is said of a request once, however often it comes. */
function once(note: Note): Note {
  const said = new Set<string>();
  return (what, details) => {
    if (!said.has(what)) note(what, details);
    said.add(what);
  };
}
