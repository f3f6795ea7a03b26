/** What an event of the hub, or a whole message, says of the reply that it belongs to. */

import type { Json } from "../body.ts";
import type { EventMeaning } from "../dialect.ts";
import type { JsonObject } from "../events.ts";
import { kindNamed } from "./error-kinds.ts";
import { record, text } from "./json.ts";

/** @param data of one event, or a whole message @param name of the event, where some hosts leave its type to it */
export function readMeaning(data: string, name: string): EventMeaning {
  const event = parse(data);
  if (event === undefined) return "preamble";
  return hubMeaning(typeof event["type"] === "string" ? event : { ...event, type: name });
}

function parse(data: string): JsonObject | undefined {
  try {
    const value: Json = JSON.parse(data);
    return record(value);
  } catch {
    return undefined;
  }
}

export function hubMeaning(event: JsonObject): EventMeaning {
  switch (text(event["type"]) ?? "") {
    case "content_block_start":
    case "content_block_delta":
      return "content";
    // A reply may be nothing but the reason for its end, as a refusal or a turn that needs no words.
    case "message_delta":
      return isReason(record(event["delta"])?.["stop_reason"]) ? "content" : "preamble";
    case "message_stop":
      return "end";
    case "message": {
      const { content, stop_reason: reason } = event;
      return (Array.isArray(content) && content.length > 0) || isReason(reason) ? "content" : "end";
    }
    case "error": {
      const error = record(event["error"]);
      return { error: kindNamed(text(error?.["type"])), message: text(error?.["message"]) ?? "" };
    }
    default:
      return "preamble";
  }
}

function isReason(value: unknown): boolean {
  return typeof value === "string" && value !== "";
}
