/** Values of a tool's input as its schema wants them, where only the form was missed: `"5"` for 5, one item for a list. */

import type { Json } from "../../../sdk/body.ts";
import { parseExactly } from "../../../sdk/hub/exact-json.ts";
import { record, text, type JsonRecord } from "../../../sdk/hub/json.ts";

/** Levels of a schema that are followed. */
const mostLevels = 32;

/** The same value where nothing had to be changed. What is missing stays missing, what is unknown stays as it is. */
export function coerceInput(input: JsonRecord, schema: JsonRecord): Json {
  return coerce(input, schema, { root: schema, level: 0 });
}

interface Place {
  readonly root: JsonRecord;
  readonly level: number;
}

function coerce(value: Json, wanted: Json | undefined, { root, level }: Place): Json {
  const schema = dereference(record(wanted), root);
  if (schema === undefined || level > mostLevels) return value;
  const inner = { root, level: level + 1 };
  const branches = schema["anyOf"] ?? schema["oneOf"];
  if (Array.isArray(branches)) return coerceAny(value, branches, inner);
  const types = typesOf(schema);
  const fitting = types.length === 0 || types.some((type) => isOf(type, value)) ? value : convert(value, types);
  if (Array.isArray(fitting)) return mapped(fitting, (item) => coerce(item, schema["items"], inner));
  const object = record(fitting);
  // One item stands for a list of one.
  if (types.includes("array") && !types.some((type) => isOf(type, fitting))) return [coerce(fitting, schema["items"], inner)];
  return object === undefined ? fitting : coerceProperties(object, schema, inner);
}

function coerceAny(value: Json, branches: readonly Json[], place: Place): Json {
  const schemas = branches.map((branch) => dereference(record(branch), place.root)).filter((branch) => branch !== undefined);
  const fits = (candidate: Json, schema: JsonRecord): boolean => {
    const types = typesOf(schema);
    return types.length === 0 || types.some((type) => isOf(type, candidate));
  };
  const match = schemas.find((schema) => fits(value, schema));
  if (match !== undefined) return coerce(value, match, place);
  for (const schema of schemas) {
    const candidate = coerce(value, schema, place);
    if (candidate !== value && fits(candidate, schema)) return candidate;
  }
  return value;
}

function coerceProperties(object: JsonRecord, schema: JsonRecord, place: Place): Json {
  const properties = record(schema["properties"]) ?? {};
  let isChanged = false;
  const entries = Object.entries(object).map(([name, value]) => {
    const wanted = Object.hasOwn(properties, name) ? properties[name] : schema["additionalProperties"];
    const coerced = coerce(value, wanted, place);
    isChanged ||= coerced !== value;
    return [name, coerced] as const;
  });
  return isChanged ? Object.fromEntries(entries) : object;
}

function mapped(items: readonly Json[], change: (item: Json) => Json): readonly Json[] {
  const changed = items.map(change);
  return changed.every((item, index) => item === items[index]) ? items : changed;
}

function dereference(schema: JsonRecord | undefined, root: JsonRecord): JsonRecord | undefined {
  let found = schema;
  for (let step = 0; step < mostLevels; step++) {
    const path = /^#\/(\$defs|definitions)\/([^/]+)$/.exec(text(found?.["$ref"]) ?? "");
    if (path === null) return found;
    found = record(record(root[path[1] ?? ""])?.[path[2] ?? ""]);
  }
  return undefined;
}

function typesOf(schema: JsonRecord): readonly string[] {
  const { type } = schema;
  if (typeof type === "string") return [type];
  return Array.isArray(type) ? type.filter((item: Json) => typeof item === "string") : [];
}

function isOf(type: string, value: Json): boolean {
  switch (type) {
    case "array":
      return Array.isArray(value);
    case "object":
      return record(value) !== undefined;
    case "null":
      return value === null;
    case "integer":
      return Number.isInteger(value) || isExactNumber(value);
    case "number":
      return typeof value === "number" || isExactNumber(value);
    default:
      return typeof value === type;
  }
}

/** Numbers that keep their digits are objects of their own kind. */
function isExactNumber(value: Json): boolean {
  return typeof value === "object" && value !== null && /^-?\d/.test(JSON.stringify(value));
}

const numeral = /^-?(?:0|[1-9]\d{0,14})(?:\.\d{1,15})?$/;

function convert(value: Json, types: readonly string[]): Json {
  for (const type of types) {
    const converted = convertTo(type, value);
    if (converted !== undefined && isOf(type, converted)) return converted;
  }
  return value;
}

function convertTo(type: string, value: Json): Json | undefined {
  if (typeof value !== "string") {
    return type === "string" && (typeof value === "number" || typeof value === "boolean") ? String(value) : undefined;
  }
  const word = value.trim();
  switch (type) {
    case "integer":
    case "number":
      return numeral.test(word) ? Number(word) : undefined;
    case "boolean": {
      const lower = word.toLowerCase();
      return lower === "true" ? true : lower === "false" ? false : undefined;
    }
    case "null":
      return word === "null" || word === "None" ? null : undefined;
    case "array":
    case "object":
      return parsed(word);
    default:
      return undefined;
  }
}

function parsed(word: string): Json | undefined {
  if (!word.startsWith("[") && !word.startsWith("{")) return undefined;
  try {
    return parseExactly(word);
  } catch {
    return undefined;
  }
}
