/** What the bench sends and what it expects back: the same bytes in every process that asks. */

import { claudeCodeBody } from "../test/helpers/claude-body.ts";
import { encodeEvent, messageEvents, messageObject, type ReplyMessage } from "../test/helpers/events.ts";

export type BodySize = "50k" | "1m";
/** `stream`: server-sent events; `plain`: one JSON object. */
export type ReplyForm = "stream" | "plain";

export const benchModel = "claude-sonnet-5-5";
export const bodySizes: readonly BodySize[] = ["50k", "1m"];
const bodyBytes: Readonly<Record<BodySize, number>> = { "50k": 50 * 1024, "1m": 1024 * 1024 };
/** Events of one streamed reply, from `message_start` to `message_stop`. */
const eventsPerReply = 60;

/** A request body, always the same for the same arguments. The plain form differs in the `stream` flag only. */
export function requestBody(size: BodySize, form: ReplyForm): Buffer {
  const text = claudeCodeBody({ model: benchModel, bytes: bodyBytes[size] }).toString();
  const flag = '"stream":true}';
  if (!text.endsWith(flag)) throw new Error("the body generator no longer ends with the stream flag");
  return Buffer.from(form === "stream" ? text : `${text.slice(0, -flag.length)}"stream":false}`);
}

/** The text that the whole reply says, for lanes that write the reply anew. */
const replyText: string = Array.from(
  // message_start, block start, ping, block stop, message_delta and message_stop are six.
  { length: eventsPerReply - 6 },
  (_, index) => `piece ${String(index).padStart(2, "0")} of the answer; `,
).join("");

const message: ReplyMessage = {
  blocks: [{ type: "text", text: replyText }],
  model: benchModel,
  usage: { input_tokens: 12_000, output_tokens: 400 },
  deltasPerBlock: eventsPerReply - 6,
};

/** One buffer per event. */
export function streamedReply(): readonly Buffer[] {
  const events = messageEvents(message).map(encodeEvent);
  if (events.length !== eventsPerReply) throw new Error(`${events.length} events were built, ${eventsPerReply} are wanted`);
  return events;
}

export function plainReply(): Buffer {
  return Buffer.from(JSON.stringify(messageObject(message)));
}

/** Headers as the client sends them, without host and length. */
export const requestHeaders: Readonly<Record<string, string>> = {
  accept: "application/json",
  "content-type": "application/json",
  "user-agent": "claude-cli/2.1.330 (external, sdk-cli)",
  "x-api-key": "sk-ant-bench",
  "anthropic-version": "2023-06-01",
  "anthropic-beta":
    "claude-code-20250219,interleaved-thinking-2025-05-14,context-management-2025-06-27,prompt-caching-scope-2026-01-05,effort-2025-11-24",
  "anthropic-dangerous-direct-browser-access": "true",
  "x-app": "cli",
  "x-stainless-arch": "x64",
  "x-stainless-lang": "js",
  "x-stainless-os": "Linux",
  "x-stainless-package-version": "0.94.0",
  "x-stainless-retry-count": "0",
  "x-stainless-runtime": "node",
  "x-stainless-runtime-version": "v24.3.0",
  "x-stainless-timeout": "600",
  "x-claude-code-session-id": "0b7d2c1e-5a4f-4c3b-9f1e-2d3c4b5a6978",
};
