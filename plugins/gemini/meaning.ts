/** What a response of generateContent, whole or one of a stream, says of the reply it belongs to. */

import type { EventMeaning } from "../../sdk/dialect.ts";
import type { JsonObject } from "../../sdk/events.ts";
import { record, text } from "../../sdk/hub/json.ts";
import { readErrorObject } from "./errors.ts";
import { field, objects, parseObject } from "./wire.ts";

export function readMeaning(data: string): EventMeaning {
  const reply = parseObject(data);
  // Some gateways close a stream as another vendor does.
  if (reply === undefined) return data === "[DONE]" ? "end" : "preamble";
  const error = record(reply["error"]);
  if (error !== undefined) return readErrorObject(error);
  const isBlocked = isReason(text(field(record(field(reply, "promptFeedback")), "blockReason")));
  return isBlocked || objects(reply["candidates"]).some(isContent) ? "content" : "preamble";
}

/** A reply may be nothing but the reason for its end. */
function isContent(candidate: JsonObject): boolean {
  if (isReason(text(field(candidate, "finishReason")))) return true;
  return objects(record(candidate["content"])?.["parts"]).some(({ text: words, ...rest }) => {
    return (text(words) ?? "") !== "" || Object.keys(rest).some((name) => name !== "thought");
  });
}

function isReason(reason: string | undefined): boolean {
  return reason !== undefined && reason !== "" && !reason.endsWith("_UNSPECIFIED");
}
