/** Schemas of this wire, a subset of OpenAPI 3.0 with types in capitals, as JSON Schema. https://ai.google.dev/api/caching#Schema */

import type { Json } from "../../sdk/body.ts";
import type { JsonObject } from "../../sdk/events.ts";
import { record } from "../../sdk/hub/json.ts";

/** Deeper ones are cut off. */
const mostLevels = 64;

export function toJsonSchema(schema: JsonObject, level = 0): JsonObject {
  if (level > mostLevels) return {};
  const { nullable, ...rest } = schema;
  const entries = Object.entries(rest).flatMap(([key, value]) => entry(key, value, level));
  const lowered: JsonObject = Object.fromEntries(entries);
  return nullable === true ? withNull(lowered) : lowered;
}

function entry(key: string, value: Json, level: number): readonly (readonly [string, Json])[] {
  const name = camelCase(key);
  switch (name) {
    case "type":
      return value === "TYPE_UNSPECIFIED" ? [] : [[name, lowerCase(value)]];
    case "properties":
      return [
        [name, Object.fromEntries(Object.entries(record(value) ?? {}).map(([property, inner]) => [property, lowered(inner, level)]))],
      ];
    case "items":
      return [[name, lowered(value, level)]];
    case "anyOf":
    case "oneOf":
    case "allOf":
      return [[name, Array.isArray(value) ? value.map((inner: Json) => lowered(inner, level)) : value]];
    case "format":
      // Says on this wire that there is an `enum`.
      return value === "enum" ? [] : [[name, value]];
    case "minItems":
    case "maxItems":
    case "minLength":
    case "maxLength":
    case "minProperties":
    case "maxProperties":
      return [[name, figure(value)]];
    case "example":
      return [["examples", [value]]];
    case "propertyOrdering":
      return [];
    default:
      return [[name, value]];
  }
}

const spellings = new Map(
  ["anyOf", "minItems", "maxItems", "minLength", "maxLength", "minProperties", "maxProperties", "propertyOrdering"].map((name) => [
    name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
    name,
  ]),
);

function camelCase(key: string): string {
  return spellings.get(key) ?? key;
}

function lowered(value: Json, level: number): Json {
  const schema = record(value);
  return schema === undefined ? value : toJsonSchema(schema, level + 1);
}

function lowerCase(type: Json): Json {
  if (Array.isArray(type)) return type.map((one: Json) => lowerCase(one));
  return typeof type === "string" ? type.toLowerCase() : type;
}

/** Figures of 64 bits are written as text. */
function figure(value: Json): Json {
  return typeof value === "string" && /^\d{1,15}$/.test(value) ? Number(value) : value;
}

function withNull(schema: JsonObject): JsonObject {
  const { type, enum: values } = schema;
  if (typeof type !== "string") return type === undefined && schema["anyOf"] !== undefined ? { anyOf: [schema, { type: "null" }] } : schema;
  return { ...schema, type: [type, "null"], ...(Array.isArray(values) ? { enum: [...values, null] } : {}) };
}
