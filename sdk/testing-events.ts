/** Replies as the events of a stream, and back. */

import type { ContentBlock, MessagesReply, ReplyEvent } from "./messages.ts";

/**
 * The events in which a stream would tell this reply.
 *
 * @param pieceLength texts and arguments come in deltas of this many characters; in one when left out
 * @example
 * eventsOf(makeReply("Hello"), 2); // message_start, content_block_start, deltas "He" "ll" "o", …
 */
export function eventsOf(reply: MessagesReply, pieceLength: number = Infinity): ReplyEvent[] {
  const { content, stop_reason, stop_sequence, usage } = reply;
  return [
    { type: "message_start", message: { ...reply, content: [], stop_reason: null, stop_sequence: null } },
    ...content.flatMap((block, index) => blockEvents(block, index, pieceLength)),
    { type: "message_delta", delta: { stop_reason, stop_sequence: stop_sequence ?? null }, usage },
    { type: "message_stop" },
  ];
}

function blockEvents(block: ContentBlock, index: number, pieceLength: number): ReplyEvent[] {
  const start = (content_block: ContentBlock): ReplyEvent => ({ type: "content_block_start", index, content_block });
  const stop: ReplyEvent = { type: "content_block_stop", index };
  if (block.type === "text") {
    const deltas = pieces(block.text, pieceLength).map((text): ReplyEvent => ({
      type: "content_block_delta",
      index,
      delta: { type: "text_delta", text },
    }));
    return [start({ ...block, text: "" }), ...deltas, stop];
  }
  if (block.type === "tool_use") {
    const deltas = pieces(JSON.stringify(block.input), pieceLength).map((partial_json): ReplyEvent => ({
      type: "content_block_delta",
      index,
      delta: { type: "input_json_delta", partial_json },
    }));
    return [start({ ...block, input: {} }), ...deltas, stop];
  }
  if (block.type === "thinking") {
    const deltas = pieces(block.thinking, pieceLength).map((thinking): ReplyEvent => ({
      type: "content_block_delta",
      index,
      delta: { type: "thinking_delta", thinking },
    }));
    const signed: ReplyEvent = { type: "content_block_delta", index, delta: { type: "signature_delta", signature: block.signature } };
    return [start({ ...block, thinking: "", signature: "" }), ...deltas, signed, stop];
  }
  return [start(block), stop];
}

function pieces(text: string, length: number): string[] {
  if (text.length <= length) return text === "" ? [] : [text];
  return Array.from({ length: Math.ceil(text.length / length) }, (_, index) => text.slice(index * length, (index + 1) * length));
}

/**
 * Puts a reply together from its events, as a client does.
 *
 * @throws Error when the events do not begin with `message_start`, or arguments of a tool call are no JSON
 */
export function replyOf(events: readonly ReplyEvent[]): MessagesReply {
  const first = events[0];
  if (first?.type !== "message_start") throw new Error(`a reply begins with message_start, not with ${first?.type ?? "nothing"}`);
  const reply: MessagesReply = { ...first.message, content: [] };
  const inputs = new Map<number, string>();
  for (const event of events) {
    if (event.type === "content_block_start") reply.content[event.index] = { ...event.content_block };
    else if (event.type === "content_block_delta") extend(reply.content[event.index], event, inputs);
    else if (event.type === "content_block_stop") finish(reply.content[event.index], inputs.get(event.index));
    else if (event.type === "message_delta") {
      reply.stop_reason = event.delta.stop_reason ?? null;
      reply.usage = { ...reply.usage, ...event.usage };
    }
  }
  return reply;
}

function extend(
  block: ContentBlock | undefined,
  { index, delta }: Extract<ReplyEvent, { type: "content_block_delta" }>,
  inputs: Map<number, string>,
): void {
  if (block === undefined) throw new Error(`a delta of block ${index}, which has not begun`);
  if (delta.type === "text_delta" && block.type === "text") block.text += delta.text;
  else if (delta.type === "input_json_delta") inputs.set(index, (inputs.get(index) ?? "") + delta.partial_json);
  else if (delta.type === "thinking_delta" && block.type === "thinking") block.thinking += delta.thinking;
  else if (delta.type === "signature_delta" && block.type === "thinking") block.signature += delta.signature;
}

function finish(block: ContentBlock | undefined, input: string | undefined): void {
  if (block?.type === "tool_use" && input !== undefined && input !== "") block.input = JSON.parse(input);
}
