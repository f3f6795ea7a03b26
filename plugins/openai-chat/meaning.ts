/** What an event of this wire, or a whole reply, says of the reply it belongs to. */

import type { Json } from "../../sdk/body.ts";
import type { EventMeaning } from "../../sdk/dialect.ts";
import type { JsonObject } from "../../sdk/events.ts";
import { record, text } from "../../sdk/hub/json.ts";
import { type SaidError, findError, unlessOverflow } from "./read-error.ts";
import { records } from "./reasoning.ts";
import { finishFailures } from "./reply-state.ts";

export function readMeaning(data: string): EventMeaning {
  if (data.startsWith("[DONE]")) return "end";
  const event = parse(data);
  if (event === undefined) return "preamble";
  const choices = Array.isArray(event["choices"]) ? records(event["choices"]) : [];
  const error = [event, ...choices].map(findError).find((found) => found !== undefined);
  if (error !== undefined) return inBand(error);
  if (choices.some((choice) => saysSomething(record(choice["delta"]) ?? record(choice["message"]) ?? {}))) return "content";
  const reasons = choices.flatMap((choice) => text(choice["finish_reason"]) || []);
  const failure = reasons.map((reason) => finishFailures.get(reason)).find((found) => found !== undefined);
  if (failure !== undefined) return { error: failure.kind, message: failure.message };
  // A reply may be nothing but the reason for its end.
  if (reasons.length > 0) return "content";
  // Nothing comes after a reply in one piece.
  return event["object"] === "chat.completion" ? "end" : "preamble";
}

/** Words, thoughts, calls, pictures, and whatever else a host has fields for. */
function saysSomething(delta: JsonObject): boolean {
  return Object.entries(delta).some(([name, value]) => name !== "role" && isSomething(value));
}

function isSomething(value: Json | undefined): boolean {
  if (typeof value === "string") return value !== "";
  return typeof value === "object" && value !== null && Object.keys(value).length > 0;
}

function inBand(said: SaidError): EventMeaning {
  if (said.overflow === undefined) {
    const { kind, message } = unlessOverflow(said, { status: undefined, headers: [] });
    return { error: kind, message };
  }
  // In the words by which the hub knows it, where the host has none but a code.
  const known = /prompt is too long|context length/i.test(said.message);
  return { error: "invalid_request_error", message: known ? said.message : `prompt is too long: ${said.message}` };
}

function parse(data: string): JsonObject | undefined {
  try {
    const value: Json = JSON.parse(data);
    return record(value);
  } catch {
    return undefined;
  }
}
