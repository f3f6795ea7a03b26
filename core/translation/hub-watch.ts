/** Watches events of the hub go by: what the reply cost, and whether it came to its end. */

import type { ReplySummary, Usage } from "../../sdk/dialect.ts";
import type { JsonObject } from "../../sdk/events.ts";
import type { Json } from "../../sdk/body.ts";
import { record, text } from "../../sdk/hub/json.ts";

export class HubWatch {
  #usage: Usage | undefined;
  #complete = false;
  #error: JsonObject | undefined;

  observe(event: JsonObject): void {
    switch (text(event["type"]) ?? "") {
      case "message_start":
        this.#count(record(event["message"])?.["usage"]);
        return;
      case "message_delta":
        this.#count(event["usage"]);
        return;
      case "message_stop":
        this.#complete = true;
        return;
      case "error":
        this.#error ??= record(event["error"]) ?? {};
        return;
      default:
    }
  }

  /** A reply that was not streamed. */
  observeMessage(message: JsonObject): void {
    this.#count(message["usage"]);
    this.#complete = true;
  }

  end(): ReplySummary {
    const complete = this.#complete;
    const error = complete ? undefined : this.#error;
    return {
      complete,
      error: error === undefined ? undefined : (text(error["type"]) ?? "api_error"),
      errorMessage: text(error?.["message"]),
      usage: this.#usage,
    };
  }

  /** The last word on each count is final. */
  #count(value: Json | undefined): void {
    const usage = record(value);
    if (usage === undefined) return;
    const before = this.#usage;
    this.#usage = {
      inputTokens: tokens(usage["input_tokens"]) ?? before?.inputTokens,
      outputTokens: tokens(usage["output_tokens"]) ?? before?.outputTokens,
      cacheReadTokens: tokens(usage["cache_read_input_tokens"]) ?? before?.cacheReadTokens,
      cacheWriteTokens: tokens(usage["cache_creation_input_tokens"]) ?? before?.cacheWriteTokens,
      ...rare("cacheWrite1hTokens", tokens(record(usage["cache_creation"])?.["ephemeral_1h_input_tokens"]) ?? before?.cacheWrite1hTokens),
      ...rare("reasoningTokens", tokens(record(usage["output_tokens_details"])?.["thinking_tokens"]) ?? before?.reasoningTokens),
      ...tierOf(text(usage["service_tier"]) ?? before?.serviceTier),
      ...rare("serverToolUses", tokens(record(usage["server_tool_use"])?.["web_search_requests"]) ?? before?.serverToolUses),
    };
  }
}

function tokens(value: Json | undefined): number | undefined {
  return typeof value === "number" ? value : undefined;
}

/** What few replies count. */
function rare(name: "cacheWrite1hTokens" | "reasoningTokens" | "serverToolUses", count: number | undefined): Partial<Usage> {
  return (count ?? 0) === 0 ? {} : { [name]: count };
}

/** Only where it is not the usual one. */
function tierOf(serviceTier: string | undefined): Partial<Usage> {
  return serviceTier === undefined || serviceTier === "standard" ? {} : { serviceTier };
}
