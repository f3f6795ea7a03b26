/**
 * The parts of the Chat Completions wire that are read or written here. Written from
 * https://platform.openai.com/docs/api-reference/chat and …/chat-streaming and the types of the package `openai` 6.x;
 * what other hosts add, from
 * https://openrouter.ai/docs/guides/best-practices/reasoning-tokens, https://openrouter.ai/docs/api/reference/errors-and-debugging,
 * https://openrouter.ai/docs/guides/features/server-tools/web-search, https://api-docs.deepseek.com/guides/thinking_mode,
 * https://docs.mistral.ai/inference/conversations/reasoning, https://console.groq.com/docs/reasoning,
 * https://docs.vllm.ai/en/latest/features/reasoning_outputs, https://docs.perplexity.ai (search results),
 * https://docs.litellm.ai/docs/reasoning_content (`thinking_blocks`).
 */

import type { Json } from "../../sdk/body.ts";
import type { JsonObject } from "../../sdk/events.ts";

export const dialectName = "openai-chat";

export const chatPaths: readonly string[] = ["/v1/chat/completions", "/chat/completions"];
export const embeddingPaths: readonly string[] = ["/v1/embeddings", "/embeddings"];
/** Azure's and LiteLLM's spelling: the model stands in the path. */
export const deploymentChatPath: RegExp = /^\/(?:openai\/deployments|engines)\/(.+)\/chat\/completions$/;

/** The event after the last one. */
export const doneEvent = "data: [DONE]\n\n";

export type WireFinishReason = "stop" | "length" | "tool_calls" | "content_filter";

export type WireToolCall = {
  readonly id: string;
  readonly type: "function";
  /** `arguments` is JSON text. */
  readonly function: { readonly name: string; readonly arguments: string };
};

export type WireTextPart = { readonly type: "text"; readonly text: string; readonly cache_control?: JsonObject };
export type WireImagePart = {
  readonly type: "image_url";
  readonly image_url: { readonly url: string };
  readonly cache_control?: JsonObject;
};
export type WireFilePart = { readonly type: "file"; readonly file: { readonly filename: string; readonly file_data: string } };
export type WirePart = WireTextPart | WireImagePart | WireFilePart;

/** A message of the request, in whatever role. */
export type WireMessage = { readonly role: string; readonly content: Json } & JsonObject;

export type WireUsage = {
  /** Those from and for the cache included. */
  readonly prompt_tokens: number;
  /** Those of reasoning included. */
  readonly completion_tokens: number;
  readonly total_tokens: number;
  readonly prompt_tokens_details: { readonly cached_tokens: number; readonly cache_write_tokens: number };
  readonly completion_tokens_details?: { readonly reasoning_tokens: number };
};

export type WireAnnotation = {
  readonly type: "url_citation";
  readonly url_citation: { readonly url: string; readonly title: string; readonly start_index: number; readonly end_index: number };
};

export type WireError = {
  readonly error: { readonly message: string; readonly type: string; readonly param: string | null; readonly code: string | null };
};

/** One event of a stream. JSON holds no line breaks. */
export function dataEvent(data: unknown): string {
  return `data: ${JSON.stringify(data)}\n\n`;
}
