/**
 * Tools as a client declares them, in the list of tools and among its items, and their names in the hub. Agents such as
 * Codex group tools in namespaces, have tools that take free text, and look for more of them by a tool of their own:
 * https://developers.openai.com/api/docs/guides/function-calling, …/guides/tools-tool-search.
 */

import type { Json } from "../../sdk/body.ts";
import type { JsonObject } from "../../sdk/events.ts";
import { record, text } from "../../sdk/hub/json.ts";
import { ToolNames } from "../../sdk/hub/tool-names.ts";
import type { Note } from "../../sdk/wire.ts";
import { bad } from "./decode-content.ts";
import { isList } from "./wire.ts";

export interface ClientTool {
  readonly kind: "function" | "custom" | "tool_search" | "web_search";
  readonly name: string;
  readonly namespace: string | undefined;
  /** As the hub has it. */
  readonly tool: JsonObject;
}

/** By their names in the hub, in the order in which they were declared. */
export type ClientTools = ReadonlyMap<string, ClientTool>;

/** What agents call the tool by which they look for others. */
const searchName = "tool_search";

/** The hub's vendor takes 128 characters. */
export function hubToolName(name: string, namespace: string | undefined): string {
  const joint = namespace?.endsWith("_") === true ? "" : "__";
  const full = namespace === undefined || namespace === "" ? name : `${namespace}${joint}${name}`;
  return new ToolNames({ pattern: /[a-zA-Z0-9_-]/, maxLength: 128 }).alias(full);
}

/** @throws ProxyError 400 that names the path of what is no tool */
export function readClientTools(request: JsonObject, note: Note): ClientTools {
  const found = new Map<string, ClientTool>();
  const declared = toolList(request["tools"], "tools");
  const later = isList(request["input"]) ? request["input"].map((item) => record(item)) : [];
  const added = later.flatMap((item, index) =>
    item?.["type"] === "additional_tools" ? toolList(item["tools"], `input.${index}.tools`) : [],
  );
  const isSearched = [...declared, ...added].some(({ tool }) => isClientSearch(tool));
  for (const one of [...declared, ...added]) addTool(one, { found, note, waits: isSearched });
  // What a search brought up is there from then on.
  for (const [index, item] of later.entries()) {
    if (item?.["type"] !== "tool_search_output") continue;
    for (const one of toolList(item["tools"], `input.${index}.tools`)) addTool(one, { found, note, waits: false });
  }
  return found;
}

interface Declared {
  readonly tool: JsonObject;
  readonly path: string;
}

function toolList(tools: Json | undefined, path: string): readonly Declared[] {
  if (tools === undefined || tools === null) return [];
  if (!isList(tools)) throw bad(path, tools, "a list of tools");
  return tools.map((value, index) => {
    const tool = record(value);
    if (tool === undefined) throw bad(`${path}.${index}`, value, "an object");
    return { tool, path: `${path}.${index}` };
  });
}

function isClientSearch(tool: JsonObject): boolean {
  return tool["type"] === searchName && tool["execution"] === "client";
}

interface Adding {
  readonly found: Map<string, ClientTool>;
  readonly note: Note;
  /** Tools that are to be looked for are not there yet. */
  readonly waits: boolean;
  readonly namespace?: string;
}

function addTool({ tool, path }: Declared, adding: Adding): void {
  const { found, note, waits, namespace } = adding;
  const type = text(tool["type"]) ?? "";
  if (type === "namespace") {
    const name = text(tool["name"]);
    if (name === undefined || name === "") throw bad(`${path}.name`, tool["name"], "the name of the namespace");
    for (const inner of toolList(tool["tools"], `${path}.tools`)) addTool(inner, { ...adding, namespace: name });
    return;
  }
  if (tool["defer_loading"] === true && waits) return;
  if (type.startsWith("web_search")) {
    if (!found.has("web_search")) found.set("web_search", { kind: "web_search", name: "web_search", namespace, tool: webSearch(tool) });
    return;
  }
  const kind = type === "function" || type === "custom" ? type : isClientSearch(tool) ? searchName : undefined;
  if (kind === undefined) {
    note(`a tool of type ${/^[a-z][a-z0-9_]{0,63}$/.test(type) ? type : "unknown"} was left out, since only its vendor has it`);
    return;
  }
  const name = kind === searchName ? searchName : text(tool["name"]);
  if (name === undefined || name === "") throw bad(`${path}.name`, tool["name"], "the name of a tool");
  const hubName = hubToolName(name, namespace);
  if (!found.has(hubName)) found.set(hubName, { kind, name, namespace, tool: hubTool(hubName, kind, tool, path) });
}

function hubTool(name: string, kind: ClientTool["kind"], tool: JsonObject, path: string): JsonObject {
  const description = text(tool["description"]) ?? "";
  const format = kind === "custom" ? grammar(tool["format"]) : "";
  const words = [description, format].filter((part) => part !== "").join("\n\n");
  return {
    name,
    ...(words === "" ? {} : { description: words }),
    input_schema: kind === "custom" ? freeText : inputSchema(tool["parameters"], `${path}.parameters`),
    ...(tool["strict"] === true ? { strict: true } : {}),
  };
}

const freeText: JsonObject = {
  type: "object",
  properties: { input: { type: "string", description: "The input of the tool, as free text." } },
  required: ["input"],
};

/** What another model could not be held to, it can at least be told. */
function grammar(value: Json | undefined): string {
  const format = record(value);
  const definition = text(format?.["definition"]);
  if (format?.["type"] !== "grammar" || definition === undefined) return "";
  return `The input has to match this ${text(format["syntax"]) ?? ""} grammar:\n${definition}`;
}

/** The hub wants an object at the root; without parameters there is none. */
function inputSchema(parameters: Json | undefined, path: string): JsonObject {
  if (parameters === undefined || parameters === null) return { type: "object", properties: {} };
  const schema = record(parameters);
  if (schema === undefined) throw bad(path, parameters, "a JSON Schema");
  return schema["type"] === "object" ? schema : { ...schema, type: "object" };
}

function webSearch(tool: JsonObject): JsonObject {
  const { allowed_domains, blocked_domains } = record(tool["filters"]) ?? {};
  const place = record(tool["user_location"]);
  return {
    type: "web_search_20250305",
    name: "web_search",
    ...(isList(allowed_domains) && allowed_domains.length > 0 ? { allowed_domains } : {}),
    ...(isList(blocked_domains) && blocked_domains.length > 0 ? { blocked_domains } : {}),
    ...(place === undefined ? {} : { user_location: { ...withoutNulls(place), type: "approximate" } }),
  };
}

function withoutNulls(object: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== null));
}
