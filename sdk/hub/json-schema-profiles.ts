/**
 * What each vendor takes of JSON Schema. Sources:
 * https://platform.openai.com/docs/guides/structured-outputs (supported schemas),
 * https://ai.google.dev/gemini-api/docs/structured-output and https://ai.google.dev/api/caching (`Schema`,
 * `FunctionDeclaration`), https://docs.aws.amazon.com/nova/latest/userguide/tool-use-definition.html
 */

import type { Json } from "../body.ts";
import { closeObject } from "./json-schema-strict.ts";
import { toOpenApi } from "./json-schema-openapi.ts";
import { keywords, type Node, type Rules } from "./json-schema-node.ts";
import type { SchemaProfile } from "./json-schema.ts";

/** All of them take these. */
const common = "title description type properties required items enum anyOf minimum maximum minItems maxItems";

const openai: Rules = { kept: undefined, refs: "keep", merges: false, root: "bare", finish: withItems };

const strict: Rules = {
  kept: keywords(common, "additionalProperties const pattern format multipleOf exclusiveMinimum exclusiveMaximum $defs"),
  refs: "alone",
  merges: true,
  root: "bare",
  formats: keywords("date-time time date duration email hostname ipv4 ipv6 uuid"),
  finish: closeObject,
};

const gemini: Rules = {
  kept: keywords(common, "additionalProperties prefixItems format propertyOrdering $defs"),
  refs: "alone",
  merges: true,
  root: "bare",
  formats: keywords("date-time date time float double int32 int64"),
  optionalCycles: true,
  finish: geminiEnum,
};

const geminiOpenApi: Rules = {
  kept: keywords(common, "format nullable minProperties maxProperties minLength maxLength pattern propertyOrdering default example"),
  refs: "inline",
  merges: true,
  root: "bare",
  formats: keywords("date-time float double int32 int64"),
  finish: toOpenApi,
};

/** Nova takes nothing but these three at the top. */
const converse: Rules = {
  kept: undefined,
  refs: "inline",
  merges: true,
  root: keywords("type properties required"),
  finish: withItems,
};

const plain: Rules = {
  kept: keywords(common, "additionalProperties default format pattern minLength maxLength"),
  refs: "inline",
  merges: true,
  root: "bare",
  finish: withItems,
};

export const profiles: Readonly<Record<SchemaProfile, Rules>> = {
  openai,
  "openai-strict": strict,
  gemini,
  "gemini-openapi": geminiOpenApi,
  converse,
  plain,
};

/** An array that does not say of what is refused. */
function withItems(node: Node): Node {
  const isArray = node["type"] === "array" || (Array.isArray(node["type"]) && node["type"].includes("array"));
  return isArray && node["items"] === undefined && node["prefixItems"] === undefined ? { ...node, items: {} } : node;
}

/** Only texts and numbers are taken. */
function geminiEnum(node: Node): Node {
  const values = node["enum"];
  if (!Array.isArray(values)) return withItems(node);
  const known = values.filter((value: Json) => typeof value === "string" || typeof value === "number");
  const { enum: _, ...others } = node;
  return withItems(known.length === 0 ? others : { ...others, enum: known });
}
