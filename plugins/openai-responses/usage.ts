/** Counts of this wire and of the hub: here the cached ones are among the input, there beside it. */

import type { Json } from "../../sdk/body.ts";
import { type JsonRecord, record } from "../../sdk/hub/json.ts";
import type { WriterUsage } from "../../sdk/hub/message-writer.ts";
import type { WireUsage } from "./wire.ts";

/** What was not counted stays out. */
export function readUsage(usage: JsonRecord | undefined): WriterUsage {
  if (usage === undefined) return {};
  const input = count(usage["input_tokens"]);
  const output = count(usage["output_tokens"]);
  const details = record(usage["input_tokens_details"]);
  const read = count(details?.["cached_tokens"]);
  const written = count(details?.["cache_write_tokens"]);
  const reasoning = count(record(usage["output_tokens_details"])?.["reasoning_tokens"]);
  return {
    ...(input === undefined ? {} : { input_tokens: Math.max(0, input - (read ?? 0) - (written ?? 0)) }),
    ...(read === undefined ? {} : { cache_read_input_tokens: read }),
    ...(written === undefined ? {} : { cache_creation_input_tokens: written }),
    ...(output === undefined ? {} : { output_tokens: output }),
    ...(reasoning === undefined || reasoning === 0 ? {} : { output_tokens_details: { thinking_tokens: reasoning } }),
  };
}

/** Clients read every one of these fields. */
export function wireUsage(usage: JsonRecord): WireUsage {
  const read = count(usage["cache_read_input_tokens"]) ?? 0;
  const written = count(usage["cache_creation_input_tokens"]) ?? 0;
  const input = (count(usage["input_tokens"]) ?? 0) + read + written;
  const output = count(usage["output_tokens"]) ?? 0;
  const reasoning = count(record(usage["output_tokens_details"])?.["thinking_tokens"]) ?? 0;
  return {
    input_tokens: input,
    input_tokens_details: { cached_tokens: read, cache_write_tokens: written },
    output_tokens: output,
    output_tokens_details: { reasoning_tokens: reasoning },
    total_tokens: input + output,
  };
}

function count(value: Json | undefined): number | undefined {
  return typeof value === "number" && Number.isFinite(value) && value >= 0 ? value : undefined;
}
