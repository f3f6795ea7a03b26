/**
 * Objects as OpenAI's strict functions want them: closed, with every property required; what was optional may be null.
 * https://platform.openai.com/docs/guides/structured-outputs#supported-schemas
 */

import type { Json } from "../body.ts";
import { isObject, type Node } from "./json-schema-node.ts";

const anything = ["string", "number", "boolean", "null"];

export function closeObject(node: Node, remarks: Set<string>): Node {
  const { type } = node;
  const isType = (name: string): boolean => type === name || (Array.isArray(type) && type.includes(name));
  if (isType("object")) return closed(node, remarks);
  if (isType("array") && node["items"] === undefined) return { ...node, items: { type: anything } };
  const saysNothing = ["type", "anyOf", "enum", "const"].every((keyword) => node[keyword] === undefined);
  if (saysNothing) remarks.add("what takes anything takes plain values only");
  return saysNothing ? { ...node, type: anything } : node;
}

function closed(node: Node, remarks: Set<string>): Node {
  const properties = isObject(node["properties"]) ? node["properties"] : {};
  const required = new Set(Array.isArray(node["required"]) ? node["required"] : []);
  const { additionalProperties } = node;
  if (additionalProperties !== undefined && additionalProperties !== false) remarks.add("an open object was closed");
  return {
    ...node,
    properties: Object.fromEntries(
      Object.entries(properties).map(([name, property]) => [name, required.has(name) ? property : nullable(property)]),
    ),
    required: Object.keys(properties),
    additionalProperties: false,
  };
}

function nullable(property: Json): Json {
  if (!isObject(property)) return property;
  const { type, anyOf } = property;
  if (Array.isArray(anyOf)) {
    const hasNull = anyOf.some((branch: Json) => isObject(branch) && branch["type"] === "null");
    return hasNull ? property : { ...property, anyOf: [...anyOf, { type: "null" }] };
  }
  if (property["$ref"] !== undefined || property["const"] !== undefined) return { anyOf: [property, { type: "null" }] };
  const types = Array.isArray(type) ? type : type === undefined ? [] : [type];
  const values = property["enum"];
  return {
    ...property,
    ...(types.length === 0 || types.includes("null") ? {} : { type: [...types, "null"] }),
    ...(Array.isArray(values) && !values.includes(null) ? { enum: [...values, null] } : {}),
  };
}
