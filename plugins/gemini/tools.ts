/** Tools of a conversation as this wire declares them, and which of them is to be called. */

import type { JsonObject } from "../../sdk/events.ts";
import type { Conversation, FunctionTool, WebSearchTool } from "../../sdk/hub/conversation.ts";
import { lowerSchema } from "../../sdk/hub/json-schema.ts";
import { record } from "../../sdk/hub/json.ts";
import { ToolNames } from "../../sdk/hub/tool-names.ts";
import type { GeminiQuirks } from "../../sdk/quirks.ts";
import type { Note } from "../../sdk/wire.ts";
import type { Family } from "./families.ts";

/** Dots and colons are taken by some hosts only, and longer names by the newest. */
export function createNames(): ToolNames {
  return new ToolNames({ pattern: /[a-zA-Z0-9_-]/, firstChar: /[a-zA-Z_]/, maxLength: 64 });
}

export interface ToolOptions {
  readonly names: ToolNames;
  readonly family: Family;
  readonly quirks: GeminiQuirks;
  readonly note: Note;
}

export interface EncodedTools {
  /** `tools` and `toolConfig`, as far as there are any. */
  readonly fields: JsonObject;
  /** Whether the model can search. */
  readonly searches: boolean;
}

/**
 * Functions and search in one request are refused by most models and hosts. Where the host takes both, what its tools
 * did has to go back with the history; elsewhere functions go first, and the search is left out.
 */
export function encodeTools(conversation: Conversation, options: ToolOptions): EncodedTools {
  const { family, quirks, note } = options;
  const { tools, webSearch } = conversation;
  const mixes = quirks.mixedTools === true && family.isThird;
  const searches = webSearch !== undefined && (tools.length === 0 || mixes);
  if (webSearch !== undefined && !searches) note("the search was left out: this host does not take it together with functions");
  const list: JsonObject[] = [];
  if (tools.length > 0) list.push({ functionDeclarations: tools.map((tool) => declare(tool, options)) });
  if (searches) list.push({ googleSearch: encodeSearch(webSearch, options) });
  const toolConfig = {
    ...choice(conversation, options),
    ...(searches && tools.length > 0 ? { includeServerSideToolInvocations: true } : {}),
  };
  return {
    fields: { ...(list.length === 0 ? {} : { tools: list }), ...(Object.keys(toolConfig).length === 0 ? {} : { toolConfig }) },
    searches,
  };
}

function declare(tool: FunctionTool, { names, family, quirks, note }: ToolOptions): JsonObject {
  const schemaField = quirks.schemaField ?? (family.isModern ? "parametersJsonSchema" : "parameters");
  const profile = schemaField === "parameters" ? "gemini-openapi" : "gemini";
  const declaration = { name: names.alias(tool.name), ...(tool.description === "" ? {} : { description: tool.description }) };
  return takesNothing(tool.schema) ? declaration : { ...declaration, [schemaField]: lowerSchema(tool.schema, profile, note) };
}

/** An object without properties is refused as a schema; a function without parameters has none. */
function takesNothing(schema: JsonObject): boolean {
  return Object.entries(schema).every(([key, value]) => {
    if (key === "properties") return Object.keys(record(value) ?? {}).length === 0;
    return key === "additionalProperties" ? value === false : ignorable.has(key);
  });
}

const ignorable = new Set(["type", "required", "title", "description", "$schema", "$id"]);

function encodeSearch(search: WebSearchTool | undefined, { quirks, note }: ToolOptions): JsonObject {
  const { allowedDomains = [], blockedDomains = [], maxUses, userLocation } = search ?? {};
  const excluded = quirks.excludeDomains === true ? blockedDomains : [];
  const dropped = [
    ...(allowedDomains.length > 0 ? ["allowed_domains"] : []),
    ...(blockedDomains.length > excluded.length ? ["blocked_domains"] : []),
    ...(maxUses === undefined ? [] : ["max_uses"]),
    ...(userLocation === undefined ? [] : ["user_location"]),
  ];
  if (dropped.length > 0) note("fields of the search were left out: this wire has nothing like them", { fields: dropped });
  return excluded.length === 0 ? {} : { excludeDomains: excluded };
}

/** A conversation without functions has no choice either: one would be refused. */
function choice({ tools, toolChoice, parallelToolCalls }: Conversation, { names, note }: ToolOptions): JsonObject {
  if (!parallelToolCalls && tools.length > 0) note("calls may come in parallel: this wire cannot forbid it");
  switch (toolChoice?.type) {
    case undefined:
      return {};
    case "auto":
      return { functionCallingConfig: { mode: "AUTO" } };
    case "any":
      return { functionCallingConfig: { mode: "ANY" } };
    case "none":
      return { functionCallingConfig: { mode: "NONE" } };
    case "tool":
      return { functionCallingConfig: { mode: "ANY", allowedFunctionNames: [names.alias(toolChoice.name)] } };
    default:
      return {};
  }
}
