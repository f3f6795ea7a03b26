/** The top of a tool's JSON Schema: a plain object, whatever it was. */

import type { JsonObject } from "../events.ts";
import { mergeAll, mergeAny } from "./json-schema-merge.ts";
import { isObject, keywords, type Node, type Rules } from "./json-schema-node.ts";
import { definitionName, loosenCycles, resolve } from "./json-schema-refs.ts";
import type { Walk } from "./json-schema-walk.ts";

const alternatives = ["anyOf", "oneOf"];
/** Refused there by the strictest of them. */
const refused = keywords("allOf anyOf oneOf enum const not");

export function rootObject(schema: JsonObject, walk: Walk, rules: Rules): Node {
  const plain = flatten(schema, ["#"], { root: schema, walk, steps: 0 });
  const properties = isObject(plain["properties"]) ? plain["properties"] : {};
  const lowered = walk.visit({ ...plain, type: "object", properties }, 0);
  if (rules.root !== "bare") {
    const { root } = rules;
    for (const keyword of Object.keys(lowered)) if (!root.has(keyword) && keyword !== "description") walk.leftOut.add(keyword);
    return Object.fromEntries(Object.entries(lowered).filter(([keyword]) => root.has(keyword)));
  }
  if (rules.refs !== "alone") return lowered;
  const whole = { ...lowered, ...definitionsOf(schema, lowered, walk) };
  return rules.optionalCycles === true ? loosenCycles(whole) : whole;
}

/** References can make much of little. */
const mostSteps = 1000;

interface Flattening {
  readonly root: JsonObject;
  readonly walk: Walk;
  steps: number;
}

/** Without a reference and without alternatives at the top. @param within references on the way here */
function flatten(node: JsonObject, within: readonly string[], flattening: Flattening): Node {
  const { root, walk } = flattening;
  const { $ref: ref, ...beside } = node;
  flattening.steps += 1;
  if (flattening.steps > mostSteps) return {};
  if (typeof ref === "string" && !within.includes(ref)) {
    const target = resolve(root, ref);
    if (isObject(target)) return flatten({ ...target, ...beside }, [...within, ref], flattening);
  }
  const flat = (list: unknown): readonly Node[] => schemasOf(list).map((member) => flatten(member, within, flattening));
  const all = flat(beside["allOf"]);
  const any = alternatives.map((keyword) => flat(beside[keyword])).filter((members) => members.length > 0);
  if (all.length > 0 || any.length > 0) walk.remarks.add("the alternatives at the top became one object");
  const bare: Node = Object.fromEntries(Object.entries(beside).filter(([keyword]) => !refused.has(keyword)));
  return mergeAll([bare, ...all, ...any.map((members) => mergeAny(members))]);
}

function schemasOf(list: unknown): readonly JsonObject[] {
  return Array.isArray(list) ? list.filter(isObject) : [];
}

/** Those that are referred to, by themselves or by each other. */
function definitionsOf(schema: JsonObject, lowered: Node, walk: Walk): Node {
  const found = new Map<string, Node>();
  const open = refNames(lowered);
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    if (found.has(name)) continue;
    const target = resolve(schema, `#/$defs/${name}`) ?? resolve(schema, `#/definitions/${name}`);
    const definition = walk.visit(target, 1);
    found.set(name, definition);
    open.push(...refNames(definition));
  }
  // In the order of the schema, which is the same in every turn.
  const order = ["$defs", "definitions"].flatMap((keyword) => (isObject(schema[keyword]) ? Object.keys(schema[keyword]) : []));
  const names = [...found.keys()].sort((one, other) => order.indexOf(one) - order.indexOf(other));
  return names.length === 0 ? {} : { $defs: Object.fromEntries(names.map((name) => [name, found.get(name) ?? {}])) };
}

function refNames(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(refNames);
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, item]) => {
    const name = key === "$ref" && typeof item === "string" ? definitionName(item) : undefined;
    return name === undefined ? refNames(item) : [name];
  });
}
