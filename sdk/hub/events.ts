/** Replies of the Messages API as events: they are the hub's own, so nothing has to be translated. */

import type { EventCodec, JsonObject } from "../events.ts";
import type { Json } from "../body.ts";
import { AnthropicAssembler } from "./assemble.ts";
import { AnthropicEventSplitter } from "./event-splitter.ts";
import { explode } from "./explode.ts";
import { record, text } from "./json.ts";
import { AnthropicNumbering } from "./numbering.ts";
import { AnthropicToolGuard, findToolChange } from "./tool-guard.ts";

export const events: EventCodec = {
  split: () => new AnthropicEventSplitter(),
  read: readEvent,
  encode: encodeEventText,
  assemble: () => new AnthropicAssembler(),
  explode,
  isMessage: (json) => parseObject(json)?.["type"] === "message",
  number: () => new AnthropicNumbering(),
  guardTools: () => new AnthropicToolGuard(),
  toolChange(original, changed) {
    return findToolChange(parseObject(original) ?? {}, parseObject(changed) ?? {});
  },
  readError,
};

/** Names of the protocol, so that a name can be nothing but a name on the wire. */
const typePattern = /^[a-z][a-z0-9_.-]{0,63}$/i;

function readEvent(json: string): JsonObject | undefined {
  const event = parseObject(json);
  return typePattern.test(text(event?.["type"]) ?? "") ? event : undefined;
}

function encodeEventText(json: string): Uint8Array {
  const event = readEvent(json);
  if (event === undefined) throw new Error("this is no event of the protocol");
  // Whitespace of JSON may hold line breaks, which would end the event's data.
  const data = /[\r\n]/.test(json) ? JSON.stringify(event) : json;
  return Buffer.from(`event: ${text(event["type"])}\ndata: ${data}\n\n`);
}

function parseObject(json: string): JsonObject | undefined {
  try {
    const value: Json = JSON.parse(json);
    return record(value);
  } catch {
    return undefined;
  }
}

const longestMessage = 4000;

/** Other hosts of the protocol have envelopes of their own. */
function readError(status: number, body: Uint8Array): { readonly type: string; readonly message: string } {
  const said = Buffer.from(body.buffer, body.byteOffset, body.length).toString("utf8").trim();
  const envelope = parseObject(said);
  const error = record(envelope?.["error"]);
  const message =
    text(error?.["message"]) ?? text(envelope?.["error"]) ?? text(envelope?.["message"]) ?? text(envelope?.["detail"]) ?? said;
  const type = text(error?.["type"]) ?? types[status] ?? (status < 500 ? "invalid_request_error" : "api_error");
  return { type, message: (message === "" ? `HTTP status ${status}` : message).slice(0, longestMessage) };
}

const types: Readonly<Record<number, string>> = {
  401: "authentication_error",
  402: "billing_error",
  403: "permission_error",
  404: "not_found_error",
  413: "request_too_large",
  429: "rate_limit_error",
  504: "timeout_error",
  529: "overloaded_error",
};
