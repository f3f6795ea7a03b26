/**
 * The parts of the Responses wire that are read or written here. Written from
 * https://developers.openai.com/api/reference/resources/responses/methods/create and …/responses/streaming-events,
 * https://developers.openai.com/api/docs/guides/reasoning, …/guides/function-calling, …/guides/tools-web-search,
 * https://www.openresponses.org/reference and the types of the package `openai` 6.x (`resources/responses`).
 */

import type { Json } from "../../sdk/body.ts";
import type { JsonObject } from "../../sdk/events.ts";

export const dialectName = "openai-responses";

export const responsePaths: readonly string[] = ["/v1/responses", "/responses", "/openai/v1/responses"];
export const countPaths: readonly string[] = responsePaths.map((path) => `${path}/input_tokens`);

/** Of `call_id`, `prompt_cache_key` and `safety_identifier`; more is refused. */
export const longestId = 64;
/** Of tools in one request. */
export const mostTools = 128;
/** Of `max_output_tokens`. */
export const fewestOutputTokens = 16;

export type WirePart =
  | { readonly type: "input_text"; readonly text: string }
  | { readonly type: "input_image"; readonly image_url: string; readonly detail: "auto" }
  | { readonly type: "input_file"; readonly filename: string; readonly file_data: string }
  | { readonly type: "input_file"; readonly file_url: string };

export type WirePhase = "commentary" | "final_answer";

export type WireMessage =
  | { readonly type: "message"; readonly role: "user" | "system" | "developer"; readonly content: readonly WirePart[] }
  | { readonly type: "message"; readonly role: "assistant"; readonly content: string; readonly phase?: WirePhase };

export type WireFunctionCall = {
  readonly type: "function_call";
  readonly call_id: string;
  readonly name: string;
  /** JSON text. */
  readonly arguments: string;
};

export type WireFunctionCallOutput = {
  readonly type: "function_call_output";
  readonly call_id: string;
  readonly output: string | readonly WirePart[];
};

export type WireReasoning = {
  readonly type: "reasoning";
  readonly id?: string;
  readonly summary: readonly { readonly type: "summary_text"; readonly text: string }[];
  /** Of open models, whose thoughts are not encrypted. */
  readonly content?: readonly { readonly type: "reasoning_text"; readonly text: string }[];
  readonly encrypted_content?: string;
};

export type WireInputItem = WireMessage | WireFunctionCall | WireFunctionCallOutput | WireReasoning;

export type WireUsage = {
  /** Those from and for the cache included. */
  readonly input_tokens: number;
  readonly input_tokens_details: { readonly cached_tokens: number; readonly cache_write_tokens: number };
  /** Those of reasoning included. */
  readonly output_tokens: number;
  readonly output_tokens_details: { readonly reasoning_tokens: number };
  readonly total_tokens: number;
};

export type WireError = {
  readonly error: { readonly message: string; readonly type: string; readonly param: string | null; readonly code: string | null };
};

/** One event of a stream in the form the API writes: named as its type. JSON holds no line breaks. */
export function eventText(type: string, data: JsonObject): string {
  return `event: ${type}\ndata: ${JSON.stringify(data)}\n\n`;
}

export function isList(value: Json | undefined): value is readonly Json[] {
  return Array.isArray(value);
}
