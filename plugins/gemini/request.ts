/** A request of the hub as a body of generateContent. The model and whether it streams stand in the address, not here. */

import type { JsonObject } from "../../sdk/events.ts";
import type { Conversation } from "../../sdk/hub/conversation.ts";
import { lowerSchema } from "../../sdk/hub/json-schema.ts";
import { readConversation } from "../../sdk/hub/read-conversation.ts";
import type { Encoded, HubRequest, Note, Target } from "../../sdk/wire.ts";
import { encodeTurns } from "./contents.ts";
import { type Family, familyOf, thinkingConfig } from "./families.ts";
import { createReader } from "./reply.ts";
import { createNames, encodeTools } from "./tools.ts";

export function encode(request: HubRequest, target: Target, note: Note): Encoded {
  const { modelFacts, quirks } = target;
  const options = { midSystem: false, images: modelFacts.images !== false, documents: modelFacts.documents !== false };
  const conversation = readConversation(request, target, options, note);
  const family = familyOf(target.model);
  const gemini = quirks.gemini ?? {};
  const names = createNames();
  const tools = encodeTools(conversation, { names, family, quirks: gemini, note });
  const contents = encodeTurns(conversation.turns, {
    names,
    family,
    callIds: gemini.callIds ?? family.isThird,
    fileUrls: gemini.fileUrls ?? false,
    note: once(note),
  });
  const { generationConfig, instruction } = encodeConfig(conversation, family, note);
  const system = [...conversation.system.map(({ text }) => ({ text })), ...(instruction === undefined ? [] : [{ text: instruction }])];
  const body: JsonObject = {
    ...(system.length === 0 ? {} : { systemInstruction: { parts: system } }),
    ...tools.fields,
    contents,
    ...(Object.keys(generationConfig).length === 0 ? {} : { generationConfig }),
  };
  const searchName = tools.searches ? conversation.webSearch?.name : undefined;
  return { body, reader: createReader({ target, names, searchName, estimatedInputTokens: request.estimatedInputTokens, note }) };
}

/** The same thing may be found in hundreds of parts. */
function once(note: Note): Note {
  const said = new Set<string>();
  return (what, details) => {
    if (!said.has(what)) note(what, details);
    said.add(what);
  };
}

const mostStopSequences = 5;

interface EncodedConfig {
  readonly generationConfig: JsonObject;
  /** Asks in words for what the model cannot be asked for otherwise. */
  readonly instruction: string | undefined;
}

function encodeConfig(conversation: Conversation, family: Family, note: Note): EncodedConfig {
  const { maxTokens, stopSequences, outputSchema } = conversation;
  if (stopSequences.length > mostStopSequences) {
    note("stop sequences beyond the fifth were left out", { asked: stopSequences.length });
  }
  const thinking = thinkingConfig(conversation, family);
  // With functions only later models answer in a form: "Function calling with a response mime type … is unsupported".
  const inWords = outputSchema !== undefined && conversation.tools.length > 0 && !family.isThird;
  if (inWords) note("the form of the answer is asked for in words: this model does not take it together with functions");
  return {
    generationConfig: {
      ...(maxTokens === undefined ? {} : { maxOutputTokens: maxTokens }),
      ...(stopSequences.length === 0 ? {} : { stopSequences: stopSequences.slice(0, mostStopSequences) }),
      ...sampling(conversation, family, note),
      ...(thinking === undefined ? {} : { thinkingConfig: thinking }),
      ...(outputSchema === undefined || inWords ? {} : encodeForm(outputSchema, family, note)),
    },
    instruction: inWords ? `Answer with JSON alone, which follows this JSON Schema:\n${JSON.stringify(outputSchema)}` : undefined,
  };
}

function sampling({ temperature, topP, topK }: Conversation, family: Family, note: Note): JsonObject {
  const fields = {
    ...(temperature === undefined ? {} : { temperature }),
    ...(topP === undefined ? {} : { topP }),
    ...(topK === undefined ? {} : { topK }),
  };
  if (!family.ignoresSampling || Object.keys(fields).length === 0) return fields;
  note("sampling was left out: this model has its own", { fields: Object.keys(fields) });
  return {};
}

function encodeForm(schema: JsonObject, { isModern }: Family, note: Note): JsonObject {
  const form = isModern
    ? { responseJsonSchema: lowerSchema(schema, "gemini", note) }
    : { responseSchema: lowerSchema(schema, "gemini-openapi", note) };
  return { responseMimeType: "application/json", ...form };
}
