/** Several JSON Schemas made into one. */

import type { Json } from "../body.ts";
import { isObject, type Node } from "./json-schema-node.ts";

/** One that asks for what all of them ask for; where two say different things of a keyword, the first one counts. */
export function mergeAll(nodes: readonly Node[]): Node {
  const merged = new Map<string, Json>();
  for (const [keyword, value] of nodes.flatMap((node) => Object.entries(node))) {
    const before = merged.get(keyword);
    if (keyword === "properties" && isObject(before) && isObject(value)) merged.set(keyword, { ...before, ...value, ...before });
    else if (keyword === "required" && Array.isArray(before) && Array.isArray(value)) merged.set(keyword, [...before, ...value]);
    else if (before === undefined) merged.set(keyword, value);
  }
  return Object.fromEntries(merged);
}

/** One object that takes whatever any of them takes. */
export function mergeAny(nodes: readonly Node[]): Node {
  const properties = new Map<string, Json>();
  for (const node of nodes) {
    const own = isObject(node["properties"]) ? Object.entries(node["properties"]) : [];
    for (const [name, value] of own) properties.set(name, either(properties.get(name), value));
  }
  const [first, ...others] = nodes.map((node) => requiredOf(node));
  const required = [...(first ?? [])].filter((name) => others.every((set) => set.has(name)));
  return { properties: Object.fromEntries(properties), ...(required.length === 0 ? {} : { required }) };
}

function requiredOf(node: Node): ReadonlySet<Json> {
  const { required } = node;
  return new Set(Array.isArray(required) ? required : []);
}

/** Values are put together, so that what tells alternatives apart can take each. */
function either(one: Json | undefined, other: Json): Json {
  if (one === undefined || JSON.stringify(one) === JSON.stringify(other)) return other;
  const [values, more] = [valuesOf(one), valuesOf(other)];
  if (isObject(one) && values !== undefined && more !== undefined) {
    const { const: _, ...beside } = one;
    return { ...beside, enum: [...new Set([...values, ...more])] };
  }
  const known = isObject(one) && Array.isArray(one["anyOf"]) && Object.keys(one).length === 1 ? one["anyOf"] : [one];
  return { anyOf: [...known, other] };
}

function valuesOf(schema: Json): readonly Json[] | undefined {
  if (!isObject(schema)) return undefined;
  if (schema["const"] !== undefined) return [schema["const"]];
  return Array.isArray(schema["enum"]) ? schema["enum"] : undefined;
}
