/**
 * Nodes as Gemini's `Schema` has them, a subset of OpenAPI 3.0: one type each, in capitals, `nullable` beside it, values
 * as texts, and nothing next to `anyOf`. https://ai.google.dev/api/caching#Schema
 */

import type { Json } from "../body.ts";
import { isObject, type Node } from "./json-schema-node.ts";

export function toOpenApi(node: Node, remarks: Set<string>): Node {
  const { anyOf, type, ...others } = node;
  if (Array.isArray(anyOf)) return alternatives(anyOf, others);
  const types = (Array.isArray(type) ? type : [type]).filter((item) => item !== undefined && item !== "null");
  const isNullable = types.length < (Array.isArray(type) ? type.length : 1) && type !== undefined;
  const flag: Node = isNullable ? { nullable: true } : {};
  const [only] = types;
  if (types.length > 1)
    return alternatives(
      types.map((item) => single(item, branchOf(item, others), remarks)),
      { ...others, ...flag },
    );
  return single(only, { ...others, ...flag }, remarks);
}

function single(type: Json | undefined, node: Node, remarks: Set<string>): Node {
  const name = typeof type === "string" ? type.toUpperCase() : undefined;
  if (name === undefined) remarks.add("what takes anything is said to be text");
  const listed = withValues({ type: name ?? "STRING", ...node });
  return name === "ARRAY" && listed["items"] === undefined ? { ...listed, items: { type: "STRING" } } : listed;
}

/** What of a node with several types belongs to one of them. */
function branchOf(type: Json, { items, properties, required, enum: values, format }: Node): Node {
  if (type === "array") return items === undefined ? {} : { items };
  if (type === "object") return { ...(properties === undefined ? {} : { properties }), ...(required === undefined ? {} : { required }) };
  return { ...(type === "string" && values !== undefined ? { enum: values } : {}), ...(format === undefined ? {} : { format }) };
}

/** Beside alternatives nothing else may stand: what is said of all of them is said in the first, or in each. */
function alternatives(branches: readonly Json[], { description, nullable }: Node): Node {
  const real = branches.filter(isObject).filter((branch) => branch["type"] !== undefined || branch["anyOf"] !== undefined);
  const isNull = (branch: Node): boolean => branch["type"] === "STRING" && branch["nullable"] === true && Object.keys(branch).length === 2;
  const others = real.filter((branch) => !isNull(branch));
  const mayBeNull = nullable === true || others.length < real.length;
  const told = others.map((branch, index) => ({
    ...branch,
    ...(mayBeNull && branch["anyOf"] === undefined ? { nullable: true } : {}),
    ...(index === 0 && description !== undefined && branch["description"] === undefined && branch["anyOf"] === undefined
      ? { description }
      : {}),
  }));
  const [first, ...more] = told;
  if (first === undefined) return { type: "STRING", nullable: true, ...(description === undefined ? {} : { description }) };
  return more.length === 0 ? first : { anyOf: told };
}

/** Only texts may be listed; other values are named in words. */
function withValues(node: Node): Node {
  const values = node["enum"];
  if (!Array.isArray(values)) return node;
  const { enum: _, ...others } = node;
  const real = values.filter((value: Json) => value !== null);
  const nullable = real.length < values.length ? { nullable: true } : {};
  if (node["type"] === "STRING" && real.length > 0 && real.every((value: Json) => typeof value === "string")) {
    return { ...others, ...nullable, enum: real };
  }
  const words = `One of: ${real.map((value: Json) => JSON.stringify(value)).join(", ")}`;
  const { description } = others;
  return { ...others, ...nullable, description: typeof description === "string" ? `${description} ${words}` : words };
}
