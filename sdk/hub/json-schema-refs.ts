/** References within one JSON Schema. */

import type { Json } from "../body.ts";
import { isObject, type Node } from "./json-schema-node.ts";

/** What a pointer such as `#/$defs/Item` means; undefined for other documents and for what is not there. */
export function resolve(root: Json, ref: string): Json | undefined {
  if (ref === "#") return root;
  if (!ref.startsWith("#/")) return undefined;
  let found: Json | undefined = root;
  for (const step of ref.slice(2).split("/")) {
    const key = unescape(step);
    if (Array.isArray(found)) found = found[Number(key)];
    else found = isObject(found) && Object.hasOwn(found, key) ? found[key] : undefined;
    if (found === undefined) return undefined;
  }
  return found;
}

function unescape(step: string): string {
  const plain = step.replaceAll("~1", "/").replaceAll("~0", "~");
  try {
    return decodeURIComponent(plain);
  } catch {
    return plain;
  }
}

const definition = /^#\/(?:\$defs|definitions)\/([^/]+)$/;

/** The name of a definition at the top, as it stands in the reference. */
export function definitionName(ref: string): string | undefined {
  return definition.exec(ref)?.[1];
}

/**
 * Takes properties by which a definition leads back to itself out of `required`: Gemini follows such references to a
 * limited degree, and only where the property may be missing.
 */
export function loosenCycles(root: Node): Node {
  const definitions = root["$defs"];
  if (!isObject(definitions)) return root;
  const direct = new Map(Object.entries(definitions).map(([name, value]) => [name, refsIn(value)]));
  const loosened = Object.entries(definitions).map(([name, value]) => {
    const back = new Set([...direct.keys()].filter((other) => reaches(direct, other, name)));
    return [name, back.size === 0 ? value : loosen(value, back)] as const;
  });
  return { ...root, $defs: Object.fromEntries(loosened) };
}

/** Whether one definition, by itself or by others, leads to another. */
function reaches(direct: ReadonlyMap<string, ReadonlySet<string>>, from: string, to: string): boolean {
  const seen = new Set<string>();
  const open = [from];
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    for (const next of direct.get(name) ?? []) {
      if (next === to) return true;
      if (!seen.has(next)) open.push(next);
      seen.add(next);
    }
  }
  return false;
}

function refsIn(value: Json): ReadonlySet<string> {
  const found = new Set<string>();
  collect(value, found);
  return found;
}

function collect(value: Json, found: Set<string>): void {
  if (Array.isArray(value)) {
    for (const item of value) collect(item, found);
  } else if (isObject(value)) {
    const name = typeof value["$ref"] === "string" ? definitionName(value["$ref"]) : undefined;
    if (name !== undefined) found.add(name);
    for (const item of Object.values(value)) collect(item, found);
  }
}

function loosen(value: Json, back: ReadonlySet<string>): Json {
  if (Array.isArray(value)) return value.map((item: Json) => loosen(item, back));
  if (!isObject(value)) return value;
  const node: Node = Object.fromEntries(Object.entries(value).map(([key, item]) => [key, loosen(item, back)]));
  const { properties, required } = value;
  if (!isObject(properties) || !Array.isArray(required)) return node;
  const still = required.filter((name: Json) => {
    const property = typeof name === "string" ? properties[name] : undefined;
    return property === undefined || ![...refsIn(property)].some((ref) => back.has(ref));
  });
  if (still.length > 0) node["required"] = still;
  else delete node["required"];
  return node;
}
