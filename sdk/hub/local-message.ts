/** Replies of the hub that the proxy makes itself: a fixed text, or the blocks of a hook. */

import { randomUUID } from "node:crypto";

import type { HeaderList, LocalReply } from "../dialect.ts";
import type { JsonObject, MessageContent, MessageOptions } from "../events.ts";
import { events } from "./events.ts";
import { explode } from "./explode.ts";
import { record } from "./json.ts";

/** A complete assistant turn holding this text, streamed word by word when a stream was asked for. */
export function encodeText(content: string, options: MessageOptions): LocalReply {
  const words = content.match(/\s*\S+(\s+$)?/g) ?? [content];
  const blocks = [{ type: "text", text: content }];
  const message = createMessage({ content: blocks }, { ...options, outputTokens: words.length });
  if (!options.stream) return jsonReply(200, message);
  const told = (explode(JSON.stringify(message)) ?? []).flatMap((event) => {
    if (!event.startsWith('{"type":"content_block_delta"')) return [event];
    return words.map((word) => JSON.stringify({ type: "content_block_delta", index: 0, delta: { type: "text_delta", text: word } }));
  });
  return eventReply(told);
}

/** A complete assistant turn holding these blocks. */
export function encodeMessage(content: MessageContent, options: MessageOptions): LocalReply {
  // Nobody counted what no model wrote; a token has some four characters.
  const outputTokens = Math.ceil(JSON.stringify(content.content).length / 4);
  const message = createMessage(content, { ...options, outputTokens });
  return options.stream ? eventReply(explode(JSON.stringify(message)) ?? []) : jsonReply(200, message);
}

interface Counted extends MessageOptions {
  readonly outputTokens: number;
}

function createMessage({ content, stop_reason }: MessageContent, { model, inputTokens, outputTokens }: Counted): JsonObject {
  const callsTool = content.some((block) => record(block)?.["type"] === "tool_use");
  return {
    id: `msg_${randomUUID().replaceAll("-", "")}`,
    type: "message",
    role: "assistant",
    model,
    content,
    stop_reason: stop_reason ?? (callsTool ? "tool_use" : "end_turn"),
    stop_sequence: null,
    usage: { input_tokens: inputTokens, output_tokens: outputTokens },
  };
}

/** JSON texts of events as a stream, one event a chunk. */
function eventReply(texts: readonly string[]): LocalReply {
  return { status: 200, headers: [["content-type", "text/event-stream; charset=utf-8"]], chunks: texts.map((text) => events.encode(text)) };
}

/** A JSON text as a whole reply. */
export function jsonReply(status: number, body: unknown): LocalReply {
  const bytes = Buffer.from(JSON.stringify(body));
  const headers: HeaderList = [
    ["content-type", "application/json"],
    ["content-length", String(bytes.length)],
  ];
  return { status, headers, chunks: [bytes] };
}
