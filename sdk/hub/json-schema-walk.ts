/** Goes through a JSON Schema from the top down, mends what is none, and leaves out what a vendor does not take. */

import type { Json } from "../body.ts";
import { mergeAll } from "./json-schema-merge.ts";
import { isObject, keywords, readType, type Node, type Rules } from "./json-schema-node.ts";
import { definitionName, resolve } from "./json-schema-refs.ts";

/** Deeper than any vendor takes. */
const mostLevels = 64;
/** References that are put in place of each other can make much of little. */
const mostNodes = 10_000;

const maps = keywords("properties patternProperties dependentSchemas $defs definitions");
const lists = keywords("anyOf oneOf allOf prefixItems");
const singles = keywords(
  "items additionalProperties additionalItems unevaluatedProperties unevaluatedItems",
  "not if then else contains propertyNames",
);
const numbers = keywords(
  "minimum maximum exclusiveMinimum exclusiveMaximum multipleOf",
  "minItems maxItems minLength maxLength minProperties maxProperties minContains maxContains",
);
const texts = keywords("title description pattern format $ref $id $anchor");
/** For readers of schemas, not for models. */
const silent = keywords("$schema $comment $id $vocabulary __proto__");
/** Names of keywords may be told; others could be anything. */
const known = keywords(
  ...[maps, lists, singles, numbers, texts].flatMap((names) => [...names]),
  "type enum const required default examples example uniqueItems dependentRequired dependencies propertyOrdering",
  "nullable readOnly writeOnly deprecated discriminator contentEncoding contentMediaType $dynamicRef $dynamicAnchor",
);

export class Walk {
  /** Keywords, and `others` for those that no standard names. */
  readonly leftOut: Set<string> = new Set<string>();
  readonly remarks: Set<string> = new Set<string>();
  readonly #rules: Rules;
  readonly #root: Json;
  #nodes = 0;

  constructor(rules: Rules, root: Json) {
    this.#rules = rules;
    this.#root = root;
  }

  /** @param within references that were put in place on the way here */
  visit(value: Json | undefined, level: number, within: readonly string[] = []): Node {
    if (!isObject(value)) {
      if (value !== true) this.remarks.add("a part that was no schema takes anything now");
      return this.#rules.finish({}, this.remarks);
    }
    this.#nodes += 1;
    if (level > mostLevels || this.#nodes > mostNodes) {
      this.remarks.add("a part that lay too deep takes anything now");
      return this.#rules.finish({}, this.remarks);
    }
    const dissolved = this.dissolve({ ...value }, within);
    if (dissolved.alone !== undefined) return { $ref: dissolved.alone };
    return this.#rules.finish(this.#keywords(dissolved.node, level + 1, dissolved.within), this.remarks);
  }

  /** Puts what is referred to in its place, and `allOf` together, as far as the rules ask for it. Children stay as they are. */
  dissolve(value: Node, path: readonly string[]): Dissolved {
    const opened = this.#open(value, path);
    const { node, within } = opened;
    const all = node["allOf"];
    this.#nodes += 1;
    if (opened.alone !== undefined || !this.#rules.merges || !Array.isArray(all) || this.#nodes > mostNodes) return opened;
    const { allOf: _, ...base } = node;
    const [only] = all;
    if (all.length === 1 && isObject(only) && base["properties"] === undefined && base["anyOf"] === undefined) {
      return this.dissolve({ ...only, ...base }, within);
    }
    return this.#mergeMembers(base, all, within);
  }

  #open(value: Node, within: readonly string[]): Dissolved {
    const { $ref: ref, ...beside } = value;
    if (ref === undefined) return { node: value, within };
    const target = typeof ref === "string" ? resolve(this.#root, ref) : undefined;
    if (typeof ref !== "string" || !isObject(target)) {
      this.remarks.add("a reference led nowhere and was left out");
      return { node: beside, within };
    }
    if (this.#rules.refs === "keep") return { node: value, within };
    const name = definitionName(ref);
    if (this.#rules.refs === "alone" && name !== undefined) return { node: {}, within, alone: `#/$defs/${name}` };
    if (within.includes(ref)) {
      this.remarks.add("a schema that leads back to itself was cut");
      const { type = "object" } = target;
      return { node: { type, ...beside }, within };
    }
    return this.#open({ ...target, ...beside }, [...within, ref]);
  }

  #mergeMembers(base: Node, all: readonly Json[], path: readonly string[]): Dissolved {
    let within = path;
    const members = all.filter(isObject).map((member) => {
      const ref = member["$ref"];
      // Here even a definition must be opened.
      const target = typeof ref === "string" && !within.includes(ref) ? resolve(this.#root, ref) : undefined;
      if (typeof ref === "string") within = [...within, ref];
      const { $ref: _, ...beside } = member;
      const inner = this.dissolve({ ...(isObject(target) ? target : {}), ...beside }, within);
      return inner.node;
    });
    // What the base itself refers to may well be one of the members again.
    return { node: mergeAll([base, ...members]), within: path };
  }

  #keywords(node: Node, level: number, within: readonly string[]): Node {
    const { kept, merges } = this.#rules;
    const out: Node = {};
    for (const [keyword, value] of Object.entries(withTypes(merges ? simplify(node, kept) : node, kept))) {
      if (silent.has(keyword)) continue;
      if (kept !== undefined && !kept.has(keyword)) {
        if (keyword !== "$defs" && keyword !== "definitions") this.leftOut.add(known.has(keyword) ? keyword : "others");
        continue;
      }
      // Definitions stand at the top, where references are kept at all.
      if (this.#rules.refs !== "keep" && (keyword === "$defs" || keyword === "definitions")) continue;
      const read = this.#keyword(keyword, value, level, within);
      if (read !== undefined) out[keyword] = read;
    }
    if (merges && isObject(out["properties"]) && Array.isArray(out["required"]))
      return withPresent(out, out["properties"], out["required"]);
    return out;
  }

  #keyword(keyword: string, value: Json, level: number, within: readonly string[]): Json | undefined {
    if (maps.has(keyword)) {
      const entries = isObject(value) ? Object.entries(value) : [];
      return Object.fromEntries(entries.map(([name, item]) => [name, this.visit(item, level, within)]));
    }
    if (lists.has(keyword)) {
      const items = Array.isArray(value) ? value.map((item: Json) => this.visit(item, level, within)) : [];
      return items.length === 0 ? undefined : items;
    }
    if (singles.has(keyword)) {
      if (typeof value === "boolean" && keyword !== "items" && keyword !== "not") return value;
      return this.visit(value, level, within);
    }
    if (numbers.has(keyword)) return typeof value === "number" ? value : undefined;
    if (texts.has(keyword)) {
      if (typeof value !== "string") return undefined;
      if (keyword !== "format" || this.#rules.formats?.has(value) !== false) return value;
      this.leftOut.add("format");
      return undefined;
    }
    if (keyword === "required") return names(value);
    if (keyword === "enum") return Array.isArray(value) && value.length > 0 ? distinct(value) : undefined;
    return value;
  }
}

export interface Dissolved {
  readonly node: Node;
  readonly within: readonly string[];
  /** A reference that stands for the whole node. */
  readonly alone?: string;
}

function names(value: Json): Json | undefined {
  const found = Array.isArray(value) ? value.filter((item: Json) => typeof item === "string") : [];
  return found.length === 0 ? undefined : distinct(found);
}

function distinct(values: readonly Json[]): readonly Json[] {
  const seen = new Set<string>();
  return values.filter((value) => {
    const text = JSON.stringify(value);
    return !seen.has(text) && seen.add(text);
  });
}

/** Some refuse a requirement of what was not described. */
function withPresent(node: Node, properties: { readonly [key: string]: Json }, required: readonly Json[]): Node {
  const present = required.filter((name) => typeof name === "string" && Object.hasOwn(properties, name));
  if (present.length === required.length) return node;
  const { required: _, ...others } = node;
  return present.length === 0 ? others : { ...others, required: present };
}

/** Alternatives under one name, one value as a list, tuples as lists where there are none. */
function simplify({ oneOf, const: constant, ...node }: Node, kept: ReadonlySet<string> | undefined): Node {
  const alternatives = [node["anyOf"], oneOf].filter((list) => Array.isArray(list)).flat();
  const keepsConst = kept?.has("const") === true;
  const tuple = node["prefixItems"] ?? (Array.isArray(node["items"]) ? node["items"] : undefined);
  const { items, ...others } = node;
  const bare = Array.isArray(items) || items === undefined ? others : { ...others, items };
  const hasTuples = kept === undefined || kept.has("prefixItems");
  return {
    ...bare,
    ...(alternatives.length === 0 ? {} : { anyOf: alternatives }),
    ...(constant === undefined ? {} : keepsConst ? { const: constant } : { enum: [constant] }),
    ...(!Array.isArray(tuple) ? {} : hasTuples ? { prefixItems: tuple } : { items: isObject(items) ? items : { anyOf: tuple } }),
  };
}

/** A type where one can be told, and bounds as numbers; earlier drafts had flags there. */
function withTypes(node: Node, kept: ReadonlySet<string> | undefined): Node {
  const { type: said, nullable, minimum, maximum, exclusiveMinimum, exclusiveMaximum, ...others } = node;
  const type = readType(said) ?? toldType(node);
  const step = type === "integer" ? 1 : 0;
  const isNullable = nullable === true && kept?.has("nullable") !== true;
  const withNull = typeof type === "string" && isNullable && type !== "null" ? [type, "null"] : type;
  return {
    ...(withNull === undefined ? {} : { type: withNull }),
    ...others,
    ...(nullable === undefined || isNullable || kept?.has("nullable") === false ? {} : { nullable }),
    ...bound({ name: "minimum", exclusiveName: "exclusiveMinimum", step, kept }, minimum, exclusiveMinimum),
    ...bound({ name: "maximum", exclusiveName: "exclusiveMaximum", step: -step, kept }, maximum, exclusiveMaximum),
  };
}

interface Bound {
  readonly name: string;
  readonly exclusiveName: string;
  /** From a bound that is not in the range to the next that is. */
  readonly step: number;
  readonly kept: ReadonlySet<string> | undefined;
}

function bound({ name, exclusiveName, step, kept }: Bound, value: Json | undefined, exclusive: Json | undefined): Node {
  const excluded = exclusive === true ? value : exclusive;
  const included = exclusive === true ? undefined : value;
  const isTaken = kept === undefined || kept.has(exclusiveName);
  if (typeof excluded === "number" && !isTaken) return { [name]: excluded + step };
  return {
    ...(included === undefined ? {} : { [name]: included }),
    ...(typeof excluded === "number" ? { [exclusiveName]: excluded } : {}),
  };
}

function toldType(node: Node): string | readonly string[] | undefined {
  if (node["$ref"] !== undefined || node["anyOf"] !== undefined || node["oneOf"] !== undefined) return undefined;
  if (isObject(node["properties"])) return "object";
  if (isObject(node["items"]) || Array.isArray(node["prefixItems"])) return "array";
  const listed = Array.isArray(node["enum"]) ? node["enum"] : [];
  const values = listed.filter((value: Json) => value !== null);
  const type = typeOf(values);
  return type === undefined || values.length === listed.length ? type : [type, "null"];
}

/** What all of them are. */
function typeOf(values: readonly Json[]): string | undefined {
  const [first] = values;
  if (first === undefined || values.some((value) => typeof value !== typeof first)) return undefined;
  if (typeof first === "number") return values.every(Number.isInteger) ? "integer" : "number";
  return typeof first === "object" ? undefined : typeof first;
}
