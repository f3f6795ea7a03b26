/** What a phase may return, checked where the author can be told best. */

import type { Phase } from "../protocol.ts";
import { describeValue, InvalidResult } from "./errors.ts";
import { toJson } from "./stores.ts";

const maxMessageLength = 4000;
const maxLabelLength = 200;
/** Of a reply made by a hook; the models themselves do not say as much. */
const maxReplyLength = 1_048_576;
const maxReplyBlocks = 1000;

/** JSON of the verdict: `true`, a label, or undefined for no match. @throws InvalidResult */
export function readVerdict(value: unknown): string | undefined {
  if (value === true) return "true";
  if (typeof value === "string") {
    if (value.length > maxLabelLength)
      throw new InvalidResult(`the rule returned a label of ${value.length} characters; a label has at most ${maxLabelLength}`);
    return value === "" ? undefined : JSON.stringify(value);
  }
  if (value === false || value === undefined || value === null) return undefined;
  throw new InvalidResult(`the rule returned ${describeValue(value)}; wanted true, false, a label or null`);
}

/**
 * JSON of the decision; undefined for none.
 * @param subject what the phase was given: returning it means the same as returning nothing
 * @throws InvalidResult
 */
export function readDecision(phase: Phase, value: unknown, subject: unknown): string | undefined {
  if (value === undefined || value === null || value === subject) return undefined;
  const wanted = `${phase} returned ${describeValue(value)}; wanted nothing, respond(…) or deny(…)`;
  if (typeof value !== "object") throw new InvalidResult(wanted);
  const kind: unknown = Reflect.get(value, "kind");
  if (kind === "respond") return readRespond(phase, Reflect.get(value, "reply"));
  if (kind === "deny") return readDeny(phase, Reflect.get(value, "status"), Reflect.get(value, "message"));
  throw new InvalidResult(`${wanted}. Changes are made in place: request.model = "…"`);
}

function readRespond(phase: Phase, reply: unknown): string {
  if (typeof reply === "string" && reply.length > maxReplyLength)
    throw new InvalidResult(`${phase} responded with ${reply.length} characters; at most ${maxReplyLength} are taken`);
  if (typeof reply === "string") return `{"kind":"respond","reply":${JSON.stringify(reply)}}`;
  const content: unknown = typeof reply === "object" && reply !== null ? Reflect.get(reply, "content") : undefined;
  if (!Array.isArray(content))
    throw new InvalidResult(`${phase} responded with ${describeValue(reply)}; wanted a text or { content: [blocks] }`);
  if (content.length > maxReplyBlocks)
    throw new InvalidResult(`${phase} responded with ${content.length} blocks; at most ${maxReplyBlocks} are taken`);
  const text = toJson(content, `${phase}: respond`);
  if (text.length > maxReplyLength)
    throw new InvalidResult(`${phase} responded with ${text.length} characters of JSON; at most ${maxReplyLength} are taken`);
  const stopReason: unknown = Reflect.get(reply as object, "stop_reason");
  const rest = typeof stopReason === "string" ? `,"stop_reason":${JSON.stringify(stopReason)}` : "";
  return `{"kind":"respond","reply":{"content":${text}${rest}}}`;
}

function readDeny(phase: Phase, status: unknown, message: unknown): string {
  if (typeof status !== "number" || !Number.isInteger(status) || status < 400 || status > 599)
    throw new InvalidResult(`${phase} denied with the status ${describeValue(status)}; wanted a whole number from 400 to 599`);
  if (typeof message !== "string") throw new InvalidResult(`${phase} denied with ${describeValue(message)} for a message; wanted a text`);
  return `{"kind":"deny","status":${status},"message":${JSON.stringify(message.slice(0, maxMessageLength))}}`;
}
