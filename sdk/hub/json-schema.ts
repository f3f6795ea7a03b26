/**
 * JSON Schemas of tools put into the dialects that vendors take. A schema that no vendor could read is mended; nothing
 * here throws, and the work grows with the size of the schema alone.
 */

import type { JsonObject } from "../events.ts";
import type { Note } from "../wire.ts";
import { profiles } from "./json-schema-profiles.ts";
import { rootObject } from "./json-schema-root.ts";
import { Walk } from "./json-schema-walk.ts";

/**
 * - `openai`: functions that are not strict. Nearly all is taken; the root must be a plain object.
 * - `openai-strict`: every property required, every object closed, few keywords.
 * - `gemini`: `parametersJsonSchema`, `responseJsonSchema`.
 * - `gemini-openapi`: `parameters`, `responseSchema`: the subset of OpenAPI 3.0, types in capitals.
 * - `converse`: `toolSpec.inputSchema.json`.
 * - `plain`: the least that all know, for hosts of which nothing is known.
 */
export type SchemaProfile = "openai" | "openai-strict" | "gemini" | "gemini-openapi" | "converse" | "plain";

/** Always an object schema. Says in one note which keywords were left out, and whether more was put otherwise. */
export function lowerSchema(schema: JsonObject, profile: SchemaProfile, note: Note): JsonObject {
  const rules = profiles[profile];
  const walk = new Walk(rules, schema);
  const lowered = rootObject(schema, walk, rules);
  const { leftOut, remarks } = walk;
  if (leftOut.size > 0 || remarks.size > 0) {
    note("the schema of a tool was put otherwise", {
      ...(leftOut.size === 0 ? {} : { left_out: [...leftOut].sort() }),
      ...(remarks.size === 0 ? {} : { remarks: [...remarks].sort() }),
    });
  }
  return lowered;
}
