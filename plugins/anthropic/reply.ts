/** Replies that the proxy makes itself: a fixed text, a token count, the list of models. */

import { randomUUID } from "node:crypto";

import type { HeaderList, ListedModel, LocalReply, ModelList, ReplyWatch } from "../../sdk/dialect.ts";
import { EventReplyWatch, JsonReplyWatch } from "./reply-watch.ts";
import { type WireModel, type WireModelList, encodeEvent } from "./wire.ts";

export function watchReply(contentType: string): ReplyWatch {
  return contentType.startsWith("text/event-stream") ? new EventReplyWatch() : new JsonReplyWatch();
}

export interface TextOptions {
  readonly model: string;
  readonly stream: boolean;
  readonly inputTokens: number;
}

/** A complete assistant turn holding this text, streamed word by word when a stream was asked for. */
export function encodeText(content: string, options: TextOptions): LocalReply {
  const id = `msg_${randomUUID().replaceAll("-", "")}`;
  const words = content.match(/\s*\S+(\s+$)?/g) ?? [content];
  const message = { id, type: "message", role: "assistant", model: options.model };
  const usage = { input_tokens: options.inputTokens, output_tokens: words.length };
  if (!options.stream) {
    const body = { ...message, content: [{ type: "text", text: content }], stop_reason: "end_turn", stop_sequence: null, usage };
    return jsonReply(200, body);
  }
  const start = { ...message, content: [], stop_reason: null, stop_sequence: null, usage: { ...usage, output_tokens: 0 } };
  const events: [string, unknown][] = [
    ["message_start", { type: "message_start", message: start }],
    ["content_block_start", { type: "content_block_start", index: 0, content_block: { type: "text", text: "" } }],
    ...words.map((word): [string, unknown] => [
      "content_block_delta",
      { type: "content_block_delta", index: 0, delta: { type: "text_delta", text: word } },
    ]),
    ["content_block_stop", { type: "content_block_stop", index: 0 }],
    [
      "message_delta",
      { type: "message_delta", delta: { stop_reason: "end_turn", stop_sequence: null }, usage: { output_tokens: words.length } },
    ],
    ["message_stop", { type: "message_stop" }],
  ];
  return {
    status: 200,
    headers: [["content-type", "text/event-stream; charset=utf-8"]],
    chunks: events.map(([type, data]) => encodeEvent(type, data)),
  };
}

export function encodeTokenCount(inputTokens: number): LocalReply {
  return jsonReply(200, { input_tokens: inputTokens });
}

/** Claude Code offers only models whose id begins with a name of the vendor; the rest it ignores. */
function publicId(group: string): string {
  return /^(claude|anthropic)/.test(group) ? group : `claude-${group}`;
}

export const modelList: ModelList = {
  accepts: (headers) => headers.get("anthropic-version") !== undefined,
  publicId,
  encode(models) {
    const data = models.map(toWireModel);
    const list: WireModelList = { data, has_more: false, first_id: data[0]?.id ?? null, last_id: data.at(-1)?.id ?? null };
    return jsonReply(200, list);
  },
};

/** The configuration knows no release dates; the field is required, and clients do not show it. */
const unknownDate = "1970-01-01T00:00:00Z";

function toWireModel(model: ListedModel): WireModel {
  return { type: "model", id: model.id, display_name: model.displayName, created_at: unknownDate };
}

function jsonReply(status: number, body: unknown): LocalReply {
  const bytes = Buffer.from(JSON.stringify(body));
  const headers: HeaderList = [
    ["content-type", "application/json"],
    ["content-length", String(bytes.length)],
  ];
  return { status, headers, chunks: [bytes] };
}
