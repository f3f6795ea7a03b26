/** What an event of this wire, or a whole response, says of the reply it belongs to. */

import type { Json } from "../../sdk/body.ts";
import type { EventMeaning } from "../../sdk/dialect.ts";
import type { JsonObject } from "../../sdk/events.ts";
import { record, text } from "../../sdk/hub/json.ts";
import { readStreamError } from "./errors.ts";

/** Said before anything of the answer is. */
const preambles: ReadonlySet<string> = new Set(["response.created", "response.queued", "response.in_progress"]);

export function readMeaning(data: string, name: string): EventMeaning {
  // Not the vendor's, but of some hosts.
  if (data === "[DONE]") return "end";
  const event = parse(data);
  if (event === undefined) return "preamble";
  const type = text(event["type"]) ?? name;
  switch (type) {
    case "error":
      return readStreamError(event);
    case "response.completed":
    case "response.incomplete":
    case "response.failed":
    case "response.cancelled":
    case "response.done":
      return responseMeaning({ status: type.slice("response.".length), ...record(event["response"]) });
    default:
      if (preambles.has(type)) return "preamble";
      if (type.startsWith("response.")) return "content";
      // A whole response has no type, nor has an error in the place of an event.
      return event["object"] === "response" || record(event["error"]) !== undefined ? responseMeaning(event) : "preamble";
  }
}

/** Of one that has ended, or goes on in the background. */
function responseMeaning(response: JsonObject): EventMeaning {
  const { error, output } = response;
  if (record(error) !== undefined) return readStreamError({ error: error ?? null });
  switch (text(response["status"])) {
    case "failed":
      return readStreamError({ message: "The upstream's answer failed." });
    case "cancelled":
      return readStreamError({ message: "The upstream cancelled its answer." });
    case "completed":
    case "done":
    case undefined: {
      const made = record(response["usage"])?.["output_tokens"];
      return (Array.isArray(output) && output.length > 0) || (typeof made === "number" && made > 0) ? "content" : "end";
    }
    // Incomplete ones say why; those under way are asked for again.
    default:
      return "content";
  }
}

function parse(data: string): JsonObject | undefined {
  try {
    const value: Json = JSON.parse(data);
    return record(value);
  } catch {
    return undefined;
  }
}
