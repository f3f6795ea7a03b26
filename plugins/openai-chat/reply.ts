/** Replies of this wire in the hub's events, streamed or whole. */

import type { Json } from "../../sdk/body.ts";
import type { JsonObject } from "../../sdk/events.ts";
import { record } from "../../sdk/hub/json.ts";
import { SseReader, type SseFields } from "../../sdk/hub/sse.ts";
import type { ReplyReader, StreamDecoder } from "../../sdk/wire.ts";
import { ChatReply, type ReplyContext } from "./reply-state.ts";

export class ChatReplyReader implements ReplyReader {
  readonly #context: ReplyContext;

  constructor(context: ReplyContext) {
    this.#context = context;
  }

  stream(): StreamDecoder {
    return new ChatStreamDecoder(new ChatReply(this.#context));
  }

  whole(reply: JsonObject): readonly JsonObject[] {
    const state = new ChatReply(this.#context);
    state.push(reply);
    state.done();
    if (state.failure !== undefined) throw state.failure;
    return state.take();
  }
}

class ChatStreamDecoder implements StreamDecoder {
  readonly #sse = new SseReader();
  readonly #reply: ChatReply;
  /** Of an answer that is no stream, whatever its header says: JSON, or some page. */
  #plain: Uint8Array[] | undefined;
  #hasBegun = false;

  constructor(reply: ChatReply) {
    this.#reply = reply;
  }

  push(chunk: Uint8Array): readonly JsonObject[] {
    if (!this.#hasBegun) this.#begin(chunk);
    if (this.#plain === undefined) this.#read(this.#sse.push(chunk));
    else this.#plain.push(chunk);
    return this.#reply.take();
  }

  end(): readonly JsonObject[] {
    if (this.#plain === undefined) this.#read(this.#sse.end());
    else this.#readPlain(Buffer.concat(this.#plain).toString("utf8"));
    this.#reply.end();
    return this.#reply.take();
  }

  #begin(chunk: Uint8Array): void {
    const first = chunk.find((byte) => !blanks.has(byte));
    if (first === undefined) return;
    this.#hasBegun = true;
    // No line of an event stream begins so.
    if (first === 0x7b || first === 0x3c) this.#plain = [];
  }

  #read(events: readonly SseFields[]): void {
    for (const { data } of events) {
      if (data.startsWith("[DONE]")) this.#reply.done();
      else if (data.startsWith("{")) this.#event(data);
    }
  }

  #event(data: string): void {
    const event = parse(data);
    if (event === undefined) this.#reply.broken("The upstream sent an event that is no JSON.");
    else this.#reply.push(event);
  }

  #readPlain(body: string): void {
    const reply = parse(body);
    if (reply === undefined) return this.#reply.broken("The upstream answered with something else than a stream of events.");
    this.#reply.push(reply);
    if (!this.#reply.isOver) this.#reply.done();
  }
}

const blanks = new Set([0x20, 0x09, 0x0a, 0x0d, 0xef, 0xbb, 0xbf]);

function parse(json: string): JsonObject | undefined {
  try {
    const value: Json = JSON.parse(json);
    return record(value);
  } catch {
    return undefined;
  }
}
