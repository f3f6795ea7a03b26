/** Tools, the choice among them, and the search of the host's own. */

import type { Json } from "../../sdk/body.ts";
import { ProxyError } from "../../sdk/errors.ts";
import type { JsonObject } from "../../sdk/events.ts";
import type { Conversation, FunctionTool, WebSearchTool } from "../../sdk/hub/conversation.ts";
import { lowerSchema } from "../../sdk/hub/json-schema.ts";
import type { ToolNames } from "../../sdk/hub/tool-names.ts";
import type { ChatQuirks } from "../../sdk/quirks.ts";
import type { Note, Target } from "../../sdk/wire.ts";
import type { CacheMarks } from "./cache-marks.ts";

export interface ToolOptions {
  readonly quirks: ChatQuirks;
  readonly names: ToolNames;
  readonly marks: CacheMarks;
  readonly target: Target;
  readonly note: Note;
}

/** Top-level fields. @throws ProxyError 400 where a search is all that was asked for and the host has none */
export function toolFields(conversation: Conversation, options: ToolOptions): JsonObject {
  const { quirks, note } = options;
  const functions = quirks.tools === false ? [] : conversation.tools.map((tool) => wireTool(tool, options));
  if (functions.length < conversation.tools.length) note("tools dropped", { count: conversation.tools.length });
  const { tool, field } = webSearch(conversation, options);
  const tools = tool === undefined ? functions : [...functions, tool];
  if (tools.length === 0) return field;
  const single = !conversation.parallelToolCalls && functions.length > 0;
  if (single && quirks.parallelToolCalls === false) note("parallel_tool_calls cannot be turned off here");
  return {
    tools,
    ...(functions.length === 0 ? {} : toolChoice(conversation, options)),
    ...(single && quirks.parallelToolCalls !== false ? { parallel_tool_calls: false } : {}),
    ...field,
  };
}

function wireTool(tool: FunctionTool, { quirks, names, marks, note }: ToolOptions): JsonObject {
  const strict = quirks.strictTools === true && tool.strict === true;
  const parameters = lowerSchema(tool.schema, strict ? "openai-strict" : (quirks.schema ?? "openai"), note);
  return marks.marked(tool, {
    type: "function",
    function: {
      name: names.alias(tool.name),
      ...(tool.description === "" ? {} : { description: tool.description }),
      parameters,
      ...(strict ? { strict: true } : {}),
    },
  });
}

function toolChoice({ toolChoice }: Conversation, { quirks, names, note }: ToolOptions): JsonObject {
  const any = quirks.anyToolChoice ?? "required";
  switch (toolChoice?.type) {
    case "none":
      return { tool_choice: "none" };
    case "any":
      if (any === "auto") note("tool_choice put otherwise", { from: "any", to: "auto" });
      return { tool_choice: any };
    case "tool":
      if (any !== "auto") return { tool_choice: { type: "function", function: { name: names.alias(toolChoice.name) } } };
      note("tool_choice put otherwise", { from: "tool", to: "auto" });
      return { tool_choice: "auto" };
    case "auto":
    case undefined:
    default:
      return {};
  }
}

interface WebSearchFields {
  readonly tool?: JsonObject;
  readonly field: JsonObject;
}

function webSearch({ webSearch: asked, tools }: Conversation, { quirks, target, note }: ToolOptions): WebSearchFields {
  if (asked === undefined) return { field: {} };
  switch (quirks.webSearch) {
    case "built-in":
      return { field: {} };
    case "web_search_options":
      return { field: { web_search_options: userLocation(asked) } };
    case "openrouter":
      return { field: {}, tool: { type: "openrouter:web_search", parameters: searchParameters(asked) } };
    case undefined:
    default:
      if (tools.length === 0) {
        const message = `The provider "${target.providerName}" has no web search. Route requests for it to one that has, e.g. by a rule for tools whose type begins with "web_search".`;
        throw new ProxyError(message, { status: 400, kind: "invalid_request_error" });
      }
      note("web search dropped: the provider has none");
      return { field: {} };
  }
}

/** The host refuses a list of each kind. */
function searchParameters({ allowedDomains, blockedDomains, userLocation }: WebSearchTool): JsonObject {
  return {
    ...(allowedDomains.length === 0 ? {} : { allowed_domains: allowedDomains }),
    ...(blockedDomains.length === 0 || allowedDomains.length > 0 ? {} : { excluded_domains: blockedDomains }),
    ...(userLocation === undefined ? {} : { user_location: userLocation }),
  };
}

/** The hub's fields, one level deeper. */
function userLocation({ userLocation: location }: WebSearchTool): JsonObject {
  if (location === undefined) return {};
  const approximate = Object.fromEntries(
    ["city", "country", "region", "timezone"].flatMap((name): [string, Json][] =>
      location[name] === undefined ? [] : [[name, location[name]]],
    ),
  );
  return { user_location: { type: "approximate", approximate } };
}
