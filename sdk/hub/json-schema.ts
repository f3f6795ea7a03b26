/** JSON Schemas of tools put into the dialects that vendors take. */

import type { Json } from "../body.ts";
import type { JsonObject } from "../events.ts";
import type { Note } from "../wire.ts";

export type SchemaProfile = "openai" | "openai-strict" | "gemini" | "gemini-openapi" | "converse" | "plain";

/** First version: root is made an object; the profiles follow. */
export function lowerSchema(schema: JsonObject, profile: SchemaProfile, note: Note): JsonObject {
  void profile;
  void note;
  const { $schema: _, ...others } = schema;
  const properties: Json = others["properties"] ?? {};
  return { ...others, type: "object", properties };
}
