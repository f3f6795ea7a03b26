/** Counts of a reply: this wire has cached tokens among the input, the hub beside it. */

import type { Json } from "../../sdk/body.ts";
import type { JsonObject } from "../../sdk/events.ts";
import { record } from "../../sdk/hub/json.ts";
import type { WriterUsage } from "../../sdk/hub/message-writer.ts";

/** The usage that an event holds, in one of the places where hosts put it. */
export function findUsage(event: JsonObject, choice: JsonObject | undefined): JsonObject | undefined {
  return record(event["usage"]) ?? record(choice?.["usage"]) ?? record(record(event["x_groq"])?.["usage"]);
}

/**
 * @param reasoningOutside whether reasoning is not among the output that is reported
 * @returns undefined for a placeholder that counts nothing
 */
export function readUsage(usage: JsonObject, reasoningOutside: boolean): WriterUsage | undefined {
  const prompt = count(usage["prompt_tokens"]);
  const completion = count(usage["completion_tokens"]);
  if ((prompt ?? 0) === 0 && (completion ?? 0) === 0) return undefined;
  const promptDetails = record(usage["prompt_tokens_details"]);
  const read =
    count(promptDetails?.["cached_tokens"]) ??
    count(usage["prompt_cache_hit_tokens"]) ??
    count(usage["cached_tokens"]) ??
    count(usage["cache_read_input_tokens"]);
  const written =
    count(promptDetails?.["cache_write_tokens"]) ??
    count(promptDetails?.["cache_creation_tokens"]) ??
    count(usage["cache_write_tokens"]) ??
    count(usage["cache_creation_input_tokens"]);
  const reasoning = count(record(usage["completion_tokens_details"])?.["reasoning_tokens"]) ?? count(usage["reasoning_tokens"]) ?? 0;
  // Where nobody knows, the sum tells.
  const isOutside = reasoningOutside || count(usage["total_tokens"]) === (prompt ?? 0) + (completion ?? 0) + reasoning;
  const searches =
    count(record(usage["server_tool_use"])?.["web_search_requests"]) ??
    count(record(usage["server_tool_use_details"])?.["web_search_requests"]) ??
    count(usage["num_search_queries"]);
  return {
    ...(prompt === undefined ? {} : { input_tokens: Math.max(0, prompt - (read ?? 0) - (written ?? 0)) }),
    ...(completion === undefined ? {} : { output_tokens: completion + (isOutside ? reasoning : 0) }),
    ...(read === undefined ? {} : { cache_read_input_tokens: read }),
    ...(written === undefined ? {} : { cache_creation_input_tokens: written }),
    ...(reasoning === 0 ? {} : { output_tokens_details: { thinking_tokens: reasoning } }),
    ...(searches === undefined || searches === 0 ? {} : { server_tool_use: { web_search_requests: searches } }),
  };
}

function count(value: Json | undefined): number | undefined {
  return typeof value === "number" && Number.isFinite(value) && value >= 0 ? value : undefined;
}
