/** Tools, the choice among them, and the host's own search. */

import type { Json } from "../../sdk/body.ts";
import { ProxyError } from "../../sdk/errors.ts";
import type { JsonObject } from "../../sdk/events.ts";
import type { Conversation, FunctionTool, WebSearchTool } from "../../sdk/hub/conversation.ts";
import { lowerSchema } from "../../sdk/hub/json-schema.ts";
import { record } from "../../sdk/hub/json.ts";
import type { ToolNames } from "../../sdk/hub/tool-names.ts";
import type { Note, Target } from "../../sdk/wire.ts";
import { isList, mostTools } from "./wire.ts";

export interface ToolOptions {
  readonly names: ToolNames;
  readonly target: Target;
  readonly note: Note;
}

/** Top-level fields. @throws ProxyError 400 where a search is all that was asked for and the host has none */
export function toolFields(conversation: Conversation, options: ToolOptions): JsonObject {
  const search = searchTool(conversation, options);
  const room = mostTools - search.length;
  const functions = conversation.tools.slice(0, room).map((tool) => functionTool(tool, options));
  if (functions.length < conversation.tools.length) {
    options.note("tools were left out: the wire takes no more", { sent: functions.length, declared: conversation.tools.length });
  }
  const tools = [...functions, ...search];
  if (tools.length === 0) return {};
  return {
    tools,
    ...(functions.length === 0 ? {} : toolChoice(conversation, options)),
    ...(conversation.parallelToolCalls ? {} : { parallel_tool_calls: false }),
  };
}

/** `strict` is true where it is left out, and then most schemas are refused. */
function functionTool(tool: FunctionTool, { names, note }: ToolOptions): JsonObject {
  const parameters = lowerSchema(tool.schema, "openai", note);
  const strict = tool.strict === true && isStrict(parameters);
  if (tool.strict === true && !strict) note("strict was left out of a tool whose schema has optional properties");
  return {
    type: "function",
    name: names.alias(tool.name),
    ...(tool.description === "" ? {} : { description: tool.description }),
    parameters,
    strict,
  };
}

/**
 * Whether a schema is one that strict mode takes as it is. What is optional would have to be made nullable, and then
 * the caller of a tool would be given nulls that its own schema does not allow.
 */
export function isStrict(schema: Json | undefined): boolean {
  if (isList(schema)) return schema.every(isStrict);
  const object = record(schema);
  if (object === undefined) return true;
  const properties = record(object["properties"]);
  if (properties !== undefined || object["type"] === "object") {
    const required = new Set(isList(object["required"]) ? object["required"] : []);
    if (object["additionalProperties"] !== false || !Object.keys(properties ?? {}).every((name) => required.has(name))) return false;
  }
  return ["anyOf", "items"].every((key) => isStrict(object[key])) && [properties, record(object["$defs"])].every(areStrict);
}

function areStrict(schemas: JsonObject | undefined): boolean {
  return schemas === undefined || Object.values(schemas).every(isStrict);
}

function toolChoice({ toolChoice: choice }: Conversation, { names }: ToolOptions): JsonObject {
  switch (choice?.type) {
    case "none":
      return { tool_choice: "none" };
    case "any":
      return { tool_choice: "required" };
    case "tool":
      return { tool_choice: { type: "function", name: names.alias(choice.name) } };
    case undefined:
    case "auto":
    default:
      return {};
  }
}

function searchTool({ webSearch, tools }: Conversation, { target, note }: ToolOptions): readonly JsonObject[] {
  if (webSearch === undefined) return [];
  if (target.quirks.responses?.webSearch === false) {
    if (tools.length > 0) {
      note("web search was left out: the provider has none");
      return [];
    }
    const message = `The provider "${target.providerName}" has no web search. Route requests for it to one that has, e.g. by a rule for tools whose type begins with "web_search".`;
    throw new ProxyError(message, { status: 400, kind: "invalid_request_error" });
  }
  if (webSearch.maxUses !== undefined) note("max_uses of the web search was left out: the wire has no such limit");
  return [{ type: "web_search", ...filters(webSearch), ...userLocation(webSearch) }];
}

/** A domain is named without scheme and path. */
function filters({ allowedDomains, blockedDomains }: WebSearchTool): JsonObject {
  if (allowedDomains.length > 0) return { filters: { allowed_domains: allowedDomains } };
  return blockedDomains.length > 0 ? { filters: { blocked_domains: blockedDomains } } : {};
}

const placeFields = ["city", "country", "region", "timezone"];

function userLocation({ userLocation: place }: WebSearchTool): JsonObject {
  if (place === undefined) return {};
  const known = placeFields.flatMap((name): [string, Json][] => (place[name] === undefined ? [] : [[name, place[name]]]));
  return { user_location: { type: "approximate", ...Object.fromEntries(known) } };
}
