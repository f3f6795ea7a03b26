/** Tools that a client of this dialect declares, as the hub has them. */

import type { Json } from "../../sdk/body.ts";
import { ProxyError } from "../../sdk/errors.ts";
import type { JsonObject } from "../../sdk/events.ts";
import { record, text } from "../../sdk/hub/json.ts";
import { ToolNames } from "../../sdk/hub/tool-names.ts";
import type { Note } from "../../sdk/wire.ts";
import { toJsonSchema } from "./open-api.ts";
import { field, fieldNames, objects } from "./wire.ts";

/**
 * Names of functions may hold dots and colons here, and not in the hub.
 * @param tools of the request; a name has the same alias in each one
 */
export function readNames(tools: Json | undefined): ToolNames {
  const names = new ToolNames({ pattern: /[a-zA-Z0-9_-]/, maxLength: 128 });
  for (const declaration of objects(tools).flatMap((tool) => objects(field(tool, "functionDeclarations")))) {
    const name = text(declaration["name"]);
    if (name !== undefined && name !== "") names.alias(name);
  }
  return names;
}

export function decodeTools(tools: Json | undefined, names: ToolNames, note: Note): readonly JsonObject[] {
  const decoded: JsonObject[] = [];
  for (const [at, tool] of objects(tools).entries()) {
    for (const [place, declaration] of objects(field(tool, "functionDeclarations")).entries()) {
      decoded.push(decodeFunction(declaration, `tools.${at}.functionDeclarations.${place}`, names));
    }
    const search = record(field(tool, "googleSearch") ?? field(tool, "googleSearchRetrieval"));
    if (search !== undefined && !decoded.some((known) => known["name"] === "web_search")) decoded.push(decodeSearch(search));
    const others = fieldNames(tool).filter((key) => !known.has(key));
    if (others.length > 0) note("tools were left out that only the vendor of this dialect has", { tools: others });
  }
  return decoded;
}

const known = new Set(["functionDeclarations", "googleSearch", "googleSearchRetrieval"]);

function decodeFunction(declaration: JsonObject, path: string, names: ToolNames): JsonObject {
  const name = text(declaration["name"]) ?? "";
  if (name === "") throw new ProxyError(`${path}.name: found nothing, wanted a name`, { status: 400, kind: "invalid_request_error" });
  const schema = record(field(declaration, "parametersJsonSchema"));
  const openApi = record(declaration["parameters"]);
  const description = text(declaration["description"]);
  return {
    name: names.alias(name),
    ...(description === undefined ? {} : { description }),
    input_schema: objectSchema(schema ?? (openApi === undefined ? {} : toJsonSchema(openApi))),
  };
}

/** The hub takes objects alone. */
function objectSchema(schema: JsonObject): JsonObject {
  return schema["type"] === "object" ? schema : { ...schema, type: "object", properties: schema["properties"] ?? {} };
}

function decodeSearch(search: JsonObject): JsonObject {
  const excluded = field(search, "excludeDomains");
  const blocked = Array.isArray(excluded) && excluded.length > 0 ? { blocked_domains: excluded } : {};
  return { type: "web_search_20250305", name: "web_search", ...blocked };
}

/** @param config `toolConfig` */
export function decodeToolChoice(config: Json | undefined, names: ToolNames, note: Note): JsonObject | undefined {
  const calling = record(field(record(config), "functionCallingConfig"));
  const mode = text(calling?.["mode"])?.toUpperCase() ?? "";
  const allowed = field(calling, "allowedFunctionNames");
  const [first, ...others] = Array.isArray(allowed) ? allowed.filter((name: Json): name is string => typeof name === "string") : [];
  if (others.length > 0) note("allowedFunctionNames was left out: of several functions none can be chosen");
  switch (mode) {
    case "ANY":
      return first !== undefined && others.length === 0 ? { type: "tool", name: names.alias(first) } : { type: "any" };
    case "NONE":
      return { type: "none" };
    case "AUTO":
    case "VALIDATED":
      return { type: "auto" };
    default:
      return undefined;
  }
}
