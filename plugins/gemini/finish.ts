/** Why a reply ended, and what it cost, in the hub's words. Reasons: https://ai.google.dev/api/generate-content#FinishReason. */

import type { JsonObject } from "../../sdk/events.ts";
import type { StopReason, WriterUsage } from "../../sdk/hub/message-writer.ts";
import { field } from "./wire.ts";

export type Finish =
  | { readonly stop: StopReason }
  /** The reply came to nothing; asked again it may. */
  | { readonly error: string };

/** Undefined for a reply that goes on, or a reason that came after this version. */
export function finishOf(reason: string, message: string | undefined): Finish | undefined {
  const stop = stops.get(reason);
  if (stop !== undefined) return { stop };
  if (!failures.has(reason)) return undefined;
  return { error: `The model's reply was cut short by the upstream: ${reason}${message === undefined ? "" : ` (${message})`}` };
}

/** The hub's own reason behind a sequence that stopped a reply cannot be told: `STOP` says both. */
const stops: ReadonlyMap<string, StopReason> = new Map<string, StopReason>([
  ["STOP", "end_turn"],
  ["MAX_TOKENS", "max_tokens"],
  ["CONTINUATION", "max_tokens"],
  ["SAFETY", "refusal"],
  ["RECITATION", "refusal"],
  ["LANGUAGE", "refusal"],
  ["BLOCKLIST", "refusal"],
  ["PROHIBITED_CONTENT", "refusal"],
  ["SPII", "refusal"],
  ["IMAGE_SAFETY", "refusal"],
  ["IMAGE_PROHIBITED_CONTENT", "refusal"],
  ["IMAGE_RECITATION", "refusal"],
]);

const failures = new Set([
  "MALFORMED_FUNCTION_CALL",
  "UNEXPECTED_TOOL_CALL",
  "TOO_MANY_TOOL_CALLS",
  "MISSING_THOUGHT_SIGNATURE",
  "MALFORMED_RESPONSE",
  "NO_IMAGE",
  "IMAGE_OTHER",
  "OTHER",
]);

/** What was read from a cache is among the prompt here and beside it there; thoughts are beside the answer here and among it there. */
export function usageOf(metadata: JsonObject): WriterUsage {
  const prompt = count(metadata, "promptTokenCount");
  const toolUse = count(metadata, "toolUsePromptTokenCount") ?? 0;
  const cached = count(metadata, "cachedContentTokenCount");
  const thoughts = count(metadata, "thoughtsTokenCount");
  const candidates = count(metadata, "candidatesTokenCount");
  const output = candidates === undefined && thoughts === undefined ? undefined : (candidates ?? 0) + (thoughts ?? 0);
  return {
    ...(prompt === undefined ? {} : { input_tokens: Math.max(0, prompt + toolUse - (cached ?? 0)) }),
    ...(output === undefined ? {} : { output_tokens: output }),
    ...(cached === undefined ? {} : { cache_read_input_tokens: cached }),
    ...(thoughts === undefined ? {} : { output_tokens_details: { thinking_tokens: thoughts } }),
  };
}

function count(metadata: JsonObject, name: string): number | undefined {
  const value = field(metadata, name);
  return typeof value === "number" && Number.isFinite(value) && value >= 0 ? value : undefined;
}
