/** Builds messages in the wire shape of Anthropic's Messages API: as one JSON object, and as the events of a stream. */

export interface ReplyUsage {
  readonly input_tokens?: number;
  readonly output_tokens?: number;
  readonly cache_read_input_tokens?: number;
  readonly cache_creation_input_tokens?: number;
}

export type ReplyBlock =
  | { readonly type: "text"; readonly text: string }
  | { readonly type: "thinking"; readonly thinking: string; readonly signature: string }
  | { readonly type: "tool_use"; readonly id: string; readonly name: string; readonly input: Readonly<Record<string, unknown>> };

export interface ReplyMessage {
  readonly blocks: readonly ReplyBlock[];
  readonly model: string;
  readonly id?: string;
  readonly usage?: ReplyUsage;
  /** Default: `tool_use` when a block is a tool call, else `end_turn`. */
  readonly stopReason?: string;
  /** Into how many delta events each block is cut; default one per 16 characters. */
  readonly deltasPerBlock?: number;
}

/** One server-sent event; `data.type` is its name too. */
export interface WireEvent {
  readonly type: string;
  readonly [key: string]: unknown;
}

/** The bytes of one event as Anthropic writes them. */
export function encodeEvent(event: WireEvent): Buffer {
  return Buffer.from(`event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`);
}

/** The body of a reply that is not streamed. */
export function messageObject(message: ReplyMessage): Readonly<Record<string, unknown>> {
  return {
    model: message.model,
    id: message.id ?? defaultId,
    type: "message",
    role: "assistant",
    content: message.blocks,
    stop_reason: stopReason(message),
    stop_sequence: null,
    usage: usageObject(message.usage, message.usage?.output_tokens ?? 1),
  };
}

/** The events of a streamed reply, in the order of the wire, `ping` after the first block's start. */
export function messageEvents(message: ReplyMessage): readonly WireEvent[] {
  const start = { ...messageObject(message), content: [], stop_reason: null, usage: usageObject(message.usage, 1) };
  const events: WireEvent[] = [{ type: "message_start", message: start }];
  for (const [index, block] of message.blocks.entries()) {
    events.push({ type: "content_block_start", index, content_block: emptied(block) });
    if (index === 0) events.push({ type: "ping" });
    for (const delta of deltas(block, message.deltasPerBlock)) events.push({ type: "content_block_delta", index, delta });
    events.push({ type: "content_block_stop", index });
  }
  events.push({
    type: "message_delta",
    delta: { stop_reason: stopReason(message), stop_sequence: null },
    usage: usageObject(message.usage, message.usage?.output_tokens ?? 1),
  });
  events.push({ type: "message_stop" });
  return events;
}

const defaultId = "msg_01UpstreamScripted000000";

function stopReason(message: ReplyMessage): string {
  return message.stopReason ?? (message.blocks.some((block) => block.type === "tool_use") ? "tool_use" : "end_turn");
}

function usageObject(usage: ReplyUsage | undefined, outputTokens: number): Readonly<Record<string, unknown>> {
  const written = usage?.cache_creation_input_tokens ?? 0;
  return {
    input_tokens: usage?.input_tokens ?? 10,
    cache_creation_input_tokens: written,
    cache_read_input_tokens: usage?.cache_read_input_tokens ?? 0,
    cache_creation: { ephemeral_5m_input_tokens: written, ephemeral_1h_input_tokens: 0 },
    output_tokens: outputTokens,
    service_tier: "standard",
  };
}

function emptied(block: ReplyBlock): Readonly<Record<string, unknown>> {
  if (block.type === "text") return { type: "text", text: "" };
  if (block.type === "thinking") return { type: "thinking", thinking: "", signature: "" };
  return { ...block, input: {} };
}

function deltas(block: ReplyBlock, count: number | undefined): readonly Readonly<Record<string, unknown>>[] {
  if (block.type === "text") return pieces(block.text, count).map((text) => ({ type: "text_delta", text }));
  if (block.type === "thinking") {
    const signature = { type: "signature_delta", signature: block.signature };
    return [...pieces(block.thinking, count).map((thinking) => ({ type: "thinking_delta", thinking })), signature];
  }
  return ["", ...pieces(JSON.stringify(block.input), count)].map((json) => ({ type: "input_json_delta", partial_json: json }));
}

/** Cuts between code points, so that no piece holds half a surrogate pair. */
function pieces(text: string, count: number | undefined): readonly string[] {
  const points = Array.from(text);
  const size = Math.max(1, count === undefined ? 16 : Math.ceil(points.length / count));
  const cut: string[] = [];
  for (let start = 0; start < points.length; start += size) cut.push(points.slice(start, start + size).join(""));
  return cut;
}
