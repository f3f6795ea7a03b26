/**
 * The parts of the generateContent wire that are read or written here. Written from
 * https://ai.google.dev/api/generate-content, …/api/caching (Content, Part, Tool, Schema), …/api/tokens,
 * https://ai.google.dev/gemini-api/docs/{function-calling,thought-signatures,thinking,google-search,tool-combination,
 * file-input-methods,troubleshooting,generate-content/latest-model}, https://googleapis.github.io/js-genai (types of
 * the package `@google/genai` 2.x) and https://docs.cloud.google.com/vertex-ai/generative-ai/docs/model-reference/inference.
 */

import type { Json } from "../../sdk/body.ts";
import type { JsonObject } from "../../sdk/events.ts";
import { record } from "../../sdk/hub/json.ts";

/** Base64 and its type. */
export type WireBlob = { readonly mimeType: string; readonly data: string };

export type WireFunctionCall = { readonly id?: string; readonly name: string; readonly args: JsonObject };

export type WireFunctionResponse = {
  readonly id?: string;
  readonly name: string;
  /** `output` holds what a function returned, `error` why it failed. */
  readonly response: JsonObject;
  /** Media of a result, from Gemini 3 on. */
  readonly parts?: readonly { readonly inlineData: WireBlob }[];
};

export type WireContent = { readonly role: "user" | "model"; readonly parts: readonly JsonObject[] };

export type WireUsage = {
  /** What was read from a cache is among it. */
  readonly promptTokenCount: number;
  readonly cachedContentTokenCount?: number;
  /** Thoughts are not among it. */
  readonly candidatesTokenCount: number;
  readonly thoughtsTokenCount?: number;
  readonly totalTokenCount: number;
};

/** Stands for a signature where a call was made by another model, or by nobody. */
export const signatureSentinel = "skip_thought_signature_validator";

/** Methods of a model that are asked for here. */
export type WireMethod = "generateContent" | "streamGenerateContent" | "countTokens";

/** A field under either of its spellings: the API parses both. @param name in camel case */
export function field(object: JsonObject | undefined, name: string): Json | undefined {
  return object === undefined ? undefined : (object[name] ?? object[snakeCase(name)]);
}

const spellings = new Map<string, string>();

function snakeCase(name: string): string {
  const known = spellings.get(name);
  if (known !== undefined) return known;
  const spelling = name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  spellings.set(name, spelling);
  return spelling;
}

/** Names of fields in camel case, whichever spelling they came in. */
export function fieldNames(object: JsonObject): readonly string[] {
  return Object.keys(object).map((key) => key.slice(0, 64).replaceAll(/_[a-z]/g, (letter) => letter.slice(1).toUpperCase()));
}

/** A list of objects; a single one stands for a list of one, as documentation writes it here and there. */
export function objects(value: Json | undefined): readonly JsonObject[] {
  const list: readonly (Json | undefined)[] = Array.isArray(value) ? value : [value];
  return list.map(record).filter((item) => item !== undefined);
}

export function parseObject(json: string): JsonObject | undefined {
  try {
    const value: Json = JSON.parse(json);
    return record(value);
  } catch {
    return undefined;
  }
}
