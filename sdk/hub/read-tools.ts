/** The tools of a request, in an order that only grows, and which of them is to be called. */

import type { Json } from "../body.ts";
import type { JsonObject } from "../events.ts";
import { clientTool } from "./client-tools.ts";
import type { Conversation, FunctionTool, WebSearchTool } from "./conversation.ts";
import { record, text, type JsonRecord } from "./json.ts";
import { records, typeName } from "./read-blocks.ts";
import { cacheOf } from "./read-marks.ts";
import type { Tally } from "./read-tally.ts";

export interface ToolReading {
  /** Names of tools in the order in which the conversation first spoke of them. */
  readonly mentioned: ReadonlySet<string>;
  /** Tools that were declared in between. */
  readonly inline: readonly JsonRecord[];
  readonly tally: Tally;
}

export interface ReadTools {
  readonly tools: readonly FunctionTool[];
  readonly webSearch: WebSearchTool | undefined;
}

/** Stands in a list of tools for those that are yet to be found, and is none itself. */
const standIn = "DeferredToolPlaceholder";

export function readTools(declared: Json | undefined, { mentioned, inline, tally }: ToolReading): ReadTools {
  const eager = new Map<string, FunctionTool>();
  const deferred = new Map<string, FunctionTool>();
  let webSearch: WebSearchTool | undefined;
  const list = records(declared);
  // Who lets the vendor look for tools cannot do so elsewhere: then all of them are there from the beginning.
  const isSearched = list.some((tool) => (text(tool["type"]) ?? "").startsWith("tool_search_tool_"));
  const read = (tool: JsonRecord, isDeferred: boolean): void => {
    const type = text(tool["type"]) ?? "custom";
    const known = type === "custom" || type === "function" ? functionTool(tool) : clientTool(type, tool);
    if (known !== undefined) {
      if (known.name === "" || known.name === standIn || eager.has(known.name) || deferred.has(known.name)) return;
      (isDeferred ? deferred : eager).set(known.name, known);
    } else if (type.startsWith("web_search_")) {
      webSearch ??= readWebSearch(tool);
    } else {
      tally.add(`a tool of type ${typeName(tool)} was left out, since only its vendor has it`);
    }
  };
  for (const tool of list) read(tool, tool["defer_loading"] === true && !isSearched);
  for (const tool of inline) read(tool, true);
  const found = Array.from(mentioned, (name) => deferred.get(name)).filter((tool) => tool !== undefined);
  return { tools: [...eager.values(), ...found], webSearch };
}

function functionTool(tool: JsonRecord): FunctionTool {
  const { strict } = tool;
  return {
    name: text(tool["name"]) ?? "",
    description: text(tool["description"]) ?? "",
    schema: record(tool["input_schema"]) ?? { type: "object", properties: {} },
    strict: typeof strict === "boolean" ? strict : undefined,
    ...cacheOf(tool),
  };
}

function readWebSearch(tool: JsonRecord): WebSearchTool {
  const maxUses = tool["max_uses"];
  return {
    name: text(tool["name"]) ?? "web_search",
    maxUses: typeof maxUses === "number" ? maxUses : undefined,
    allowedDomains: strings(tool["allowed_domains"]),
    blockedDomains: strings(tool["blocked_domains"]),
    userLocation: record(tool["user_location"]),
  };
}

export function strings(list: Json | undefined): readonly string[] {
  return Array.isArray(list) ? list.filter((item): item is string => typeof item === "string") : [];
}

/** Undefined where there is no tool to choose: most vendors refuse a choice without tools. */
export function readToolChoice(body: JsonObject, tools: readonly FunctionTool[], tally: Tally): Conversation["toolChoice"] {
  const choice = record(body["tool_choice"]);
  const type = text(choice?.["type"]);
  if (type === undefined) return undefined;
  if (tools.length === 0) {
    tally.add("tool_choice was left out, since there is no tool to choose");
    return undefined;
  }
  switch (type) {
    case "auto":
    case "any":
    case "none":
      return { type };
    case "tool": {
      const name = text(choice?.["name"]) ?? "";
      if (tools.some((tool) => tool.name === name)) return { type, name };
      tally.add("tool_choice was left out, since the tool it names is not there");
      return undefined;
    }
    default:
      tally.add("tool_choice was left out, since its type is unknown");
      return undefined;
  }
}

export function allowsParallelCalls(body: JsonObject): boolean {
  return record(body["tool_choice"])?.["disable_parallel_tool_use"] !== true;
}
