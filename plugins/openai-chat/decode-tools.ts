/** Tools of a client, and its choice among them, as the hub has them. */

import type { Json } from "../../sdk/body.ts";
import type { JsonObject } from "../../sdk/events.ts";
import { record, text } from "../../sdk/hub/json.ts";
import type { Note } from "../../sdk/wire.ts";
import { bad, cacheControl } from "./decode-content.ts";

/** Top-level fields of the hub; none where there are no tools. @throws ProxyError 400 that names the path of what is no tool */
export function decodeTools(request: JsonObject, note: Note): JsonObject {
  const declared = [...toolList(request, note), ...webSearch(request["web_search_options"])];
  const choice = decodeChoice(request["tool_choice"] ?? request["function_call"], note);
  const { allowed } = choice;
  const tools = allowed === undefined ? declared : declared.filter((tool) => allowed.has(text(tool["name"]) ?? ""));
  if (tools.length === 0) return {};
  const single = request["parallel_tool_calls"] === false;
  const type = choice.choice ?? (single ? { type: "auto" } : undefined);
  return {
    tools,
    ...(type === undefined ? {} : { tool_choice: single && type["type"] !== "none" ? { ...type, disable_parallel_tool_use: true } : type }),
  };
}

function toolList(request: JsonObject, note: Note): readonly JsonObject[] {
  const { tools, functions } = request;
  if (tools === undefined || tools === null) {
    if (functions === undefined || functions === null) return [];
    if (!Array.isArray(functions)) throw bad("functions", functions, "a list of functions");
    return functions.map((value, index) => decodeFunction(value, `functions.${index}`, {}));
  }
  if (!Array.isArray(tools)) throw bad("tools", tools, "a list of tools");
  return tools.flatMap((value, index) => {
    const tool = record(value);
    if (tool === undefined) throw bad(`tools.${index}`, value, "an object");
    return decodeTool(tool, `tools.${index}`, note);
  });
}

function decodeTool(tool: JsonObject, path: string, note: Note): readonly JsonObject[] {
  const type = text(tool["type"]) ?? "function";
  if (type === "function") return [decodeFunction(tool["function"] ?? null, `${path}.function`, cacheControl(tool))];
  // A tool of the hub's own vendor, e.g. `bash_20250124`, which some clients declare here as they do there.
  if (/_\d{8}$/.test(type)) return [tool];
  if (/^(?:web_search|openrouter:web_search)/.test(type)) return webSearch(record(tool["parameters"]) ?? tool);
  if (type === "custom") return [decodeCustom(record(tool["custom"]), path)];
  note("a tool of an unknown type dropped");
  return [];
}

function decodeFunction(value: Json, path: string, mark: JsonObject): JsonObject {
  const details = record(value);
  if (details === undefined) throw bad(path, value, "an object with a name");
  const name = text(details["name"]);
  if (name === undefined || name === "") throw bad(`${path}.name`, details["name"], "the name of a tool");
  const description = text(details["description"]);
  return {
    name,
    ...(description === undefined || description === "" ? {} : { description }),
    input_schema: inputSchema(details["parameters"], `${path}.parameters`),
    ...(details["strict"] === true ? { strict: true } : {}),
    ...mark,
  };
}

/** The hub wants an object at the root; without parameters there is none. */
function inputSchema(parameters: Json | undefined, path: string): JsonObject {
  if (parameters === undefined || parameters === null) return { type: "object", properties: {} };
  const schema = record(parameters);
  if (schema === undefined) throw bad(path, parameters, "a JSON Schema");
  return schema["type"] === "object" ? schema : { ...schema, type: "object" };
}

/** Takes free text: a function with one parameter does, too. */
function decodeCustom(custom: JsonObject | undefined, path: string): JsonObject {
  const name = text(custom?.["name"]);
  if (name === undefined || name === "") throw bad(`${path}.custom.name`, custom?.["name"], "the name of a tool");
  const description = text(custom?.["description"]);
  const input_schema = { type: "object", properties: { input: { type: "string" } }, required: ["input"] };
  return { name, ...(description === undefined ? {} : { description }), input_schema };
}

function webSearch(options: Json | undefined): readonly JsonObject[] {
  const asked = record(options);
  if (asked === undefined) return [];
  const location = record(asked["user_location"]);
  const approximate = record(location?.["approximate"]) ?? location;
  const filters = record(asked["filters"]) ?? asked;
  const { allowed_domains, excluded_domains } = filters;
  return [
    {
      type: "web_search_20250305",
      name: "web_search",
      ...(Array.isArray(allowed_domains) ? { allowed_domains } : {}),
      ...(Array.isArray(excluded_domains) ? { blocked_domains: excluded_domains } : {}),
      ...(approximate === undefined ? {} : { user_location: { ...approximate, type: "approximate" } }),
    },
  ];
}

interface Choice {
  readonly choice: JsonObject | undefined;
  /** Names of the tools that may be called at all; undefined: any. */
  readonly allowed?: ReadonlySet<string>;
}

function decodeChoice(value: Json | undefined, note: Note): Choice {
  const named = text(value);
  if (named !== undefined) {
    const type = choiceTypes.get(named);
    if (type === undefined) note("an unknown tool_choice dropped");
    return { choice: type === undefined ? undefined : { type } };
  }
  const choice = record(value);
  if (choice === undefined) return { choice: undefined };
  if (choice["type"] === "allowed_tools") return decodeAllowed(record(choice["allowed_tools"]) ?? choice);
  const name = text((record(choice["function"]) ?? record(choice["custom"]) ?? choice)["name"]);
  return { choice: name === undefined ? undefined : { type: "tool", name } };
}

function decodeAllowed(allowed: JsonObject): Choice {
  const tools = allowed["tools"];
  const names = Array.isArray(tools)
    ? tools.flatMap((value) => {
        const tool = record(value);
        return text((record(tool?.["function"]) ?? tool)?.["name"]) ?? [];
      })
    : [];
  return { choice: { type: allowed["mode"] === "required" ? "any" : "auto" }, allowed: new Set(names) };
}

const choiceTypes: ReadonlyMap<string, string> = new Map([
  ["auto", "auto"],
  ["required", "any"],
  ["any", "any"],
  ["none", "none"],
]);
