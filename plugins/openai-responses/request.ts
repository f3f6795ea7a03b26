/** A request of the hub on this wire, and a request of this wire for another host that speaks it. */

import { createHash } from "node:crypto";

import type { Json, RequestBody } from "../../sdk/body.ts";
import type { JsonObject } from "../../sdk/events.ts";
import type { Conversation } from "../../sdk/hub/conversation.ts";
import { isSealed, sealMark } from "../../sdk/hub/envelope.ts";
import { lowerSchema } from "../../sdk/hub/json-schema.ts";
import { record, text } from "../../sdk/hub/json.ts";
import { readConversation } from "../../sdk/hub/read-conversation.ts";
import { ToolNames } from "../../sdk/hub/tool-names.ts";
import type { ResponsesQuirks } from "../../sdk/quirks.ts";
import type { Encoded, HubRequest, Note, Target } from "../../sdk/wire.ts";
import { encodeItems } from "./items.ts";
import { type Family, familyOf, nearestEffort } from "./models.ts";
import { createReader } from "./reply.ts";
import { isStrict, toolFields } from "./tools.ts";
import { fewestOutputTokens, isList } from "./wire.ts";

/** Of the hub, looked at here or of no use to anyone but the hub's vendor's own client. */
const known: ReadonlySet<string> = new Set(
  "model messages system tools tool_choice metadata max_tokens thinking output_config output_format stream stop_sequences temperature top_p top_k cache_control".split(
    " ",
  ),
);

export function encode(request: HubRequest, target: Target, note: Note): Encoded {
  const family = familyOf(target);
  const quirks = target.quirks.responses ?? {};
  const { modelFacts } = target;
  const conversation = readConversation(
    request,
    target,
    {
      midSystem: family.isVendors,
      images: modelFacts.images !== false,
      documents: quirks.documents !== false && modelFacts.documents !== false,
    },
    note,
  );
  noteUnknown(request.body, note);
  const names = new ToolNames({ pattern: /[a-zA-Z0-9_-]/, maxLength: 64 });
  const tools = toolFields(conversation, { names, target, note });
  const effort = effortOf(conversation, family, note);
  const body: JsonObject = {
    model: target.model,
    input: encodeItems(conversation, { family, names, note }),
    ...tools,
    ...limits(conversation, note),
    ...reasoning(family, effort),
    ...sampling(conversation, family, effort, note),
    ...textFormat(conversation, note),
    ...include(conversation, family, quirks, tools),
    ...identity(conversation, quirks),
    // Nothing is kept there: the client has its whole conversation, and sends all of it.
    store: false,
    ...(conversation.stream ? { stream: true } : {}),
  };
  return { body: settle(body, quirks), reader: createReader({ request, target, names, stopSequences: conversation.stopSequences, note }) };
}

function settle(body: JsonObject, { defaults = {}, refused = [] }: ResponsesQuirks): JsonObject {
  const whole = { ...defaults, ...body };
  return refused.length === 0 ? whole : Object.fromEntries(Object.entries(whole).filter(([name]) => !refused.includes(name)));
}

function noteUnknown(body: JsonObject, note: Note): void {
  const fields = Object.keys(body).filter((name) => !known.has(name) && /^[a-z][a-z0-9_]{0,39}$/.test(name));
  if (fields.length > 0) note("fields were left out that the wire does not have", { fields });
}

function limits({ maxTokens, stopSequences }: Conversation, note: Note): JsonObject {
  if (stopSequences.length > 0) note("stop_sequences are watched for here: the wire has none", { count: stopSequences.length });
  return maxTokens === undefined ? {} : { max_output_tokens: Math.max(fewestOutputTokens, maxTokens) };
}

/** Undefined where the model is left to its own. */
function effortOf({ effort: wanted }: Conversation, family: Family, note: Note): string | undefined {
  if (!family.reasons || wanted === undefined) return undefined;
  const effort = nearestEffort(wanted, family.efforts);
  if (effort !== wanted) note("the effort was put otherwise: the model does not take it", { from: wanted, to: effort ?? null });
  return effort;
}

/** Without a summary a client would see nothing of what it waits for. */
function reasoning({ reasons, isVendors }: Family, effort: string | undefined): JsonObject {
  if (!reasons) return {};
  const summary = isVendors && effort !== "none" ? { summary: "auto" } : {};
  const fields = { ...(effort === undefined ? {} : { effort }), ...summary };
  return Object.keys(fields).length === 0 ? {} : { reasoning: fields };
}

/** A model that reasons refuses to be told how to sample. */
function sampling({ temperature, topP, topK }: Conversation, { reasons }: Family, effort: string | undefined, note: Note): JsonObject {
  const isFixed = reasons && effort !== "none";
  const refused = [
    ...(isFixed && temperature !== undefined ? ["temperature"] : []),
    ...(isFixed && topP !== undefined ? ["top_p"] : []),
    ...(topK === undefined ? [] : ["top_k"]),
  ];
  if (refused.length > 0) note("sampling was left out that the model does not take", { fields: refused });
  if (isFixed) return {};
  return { ...(temperature === undefined ? {} : { temperature }), ...(topP === undefined ? {} : { top_p: topP }) };
}

function textFormat({ outputSchema }: Conversation, note: Note): JsonObject {
  if (outputSchema === undefined) return {};
  const schema = lowerSchema(outputSchema, "openai", note);
  return { text: { format: { type: "json_schema", name: "output", schema, strict: isStrict(schema) } } };
}

/** A model without reasoning refuses to be asked for it. */
function include({ webSearch }: Conversation, { reasons }: Family, { encryptedReasoning }: ResponsesQuirks, tools: JsonObject): JsonObject {
  const searches =
    webSearch !== undefined && isList(tools["tools"]) && tools["tools"].some((tool) => record(tool)?.["type"] === "web_search");
  const fields = [
    ...(reasons && encryptedReasoning !== false ? ["reasoning.encrypted_content"] : []),
    ...(searches ? ["web_search_call.action.sources"] : []),
  ];
  return fields.length === 0 ? {} : { include: fields };
}

/** Both at most 64 characters, which is what a hash has. */
function identity({ session, user }: Conversation, { promptCacheKey }: ResponsesQuirks): JsonObject {
  return {
    ...(session === undefined || promptCacheKey === false ? {} : { prompt_cache_key: createHash("sha256").update(session).digest("hex") }),
    ...(user === undefined ? {} : { safety_identifier: user }),
  };
}

/** Another model at most, and no reasoning that was sealed here for another vendor's: it would be refused as one that cannot be decrypted. */
export function adapt(body: RequestBody, target: Target): RequestBody {
  const own = withoutSealed(body);
  return text(own.value("model")) === target.model ? own : own.edit([{ field: "model", value: target.model }]);
}

function withoutSealed(body: RequestBody): RequestBody {
  const { buffer, byteOffset, length } = body.bytes;
  if (!Buffer.from(buffer, byteOffset, length).includes(sealMark)) return body;
  const input = body.value("input");
  if (!isList(input)) return body;
  const own = input.filter((item) => !isSealedReasoning(item));
  return own.length === input.length ? body : body.edit([{ field: "input", value: own }]);
}

function isSealedReasoning(value: Json): boolean {
  const item = record(value);
  return item?.["type"] === "reasoning" && isSealed(text(item["encrypted_content"]) ?? "");
}
