/** The way out of a reply of the hub: in the caller's own dialect, where that is another. */

import type { Json } from "../../sdk/body.ts";
import type { ReplyOptions, StreamEncoder } from "../../sdk/dialect.ts";
import { ProxyError } from "../../sdk/errors.ts";
import { record } from "../../sdk/hub/json.ts";
import { type Exchange, type Reply, replyOf } from "../exchange.ts";
import { collectReply } from "../stream/collect-reply.ts";
import { type EventSource, readEvents } from "../stream/event-source.ts";
import { HubWatch } from "./hub-watch.ts";

/** Longer ones cannot be translated as a whole. */
const maxWholeBytes = 64 * 1024 * 1024;

/** @throws ProxyError 502 when the reply is none that could be translated */
export async function encodeForClient(exchange: Exchange, reply: Reply): Promise<Reply> {
  const { translation } = exchange.ingress;
  if (translation === undefined || reply.format === "client") return reply;
  const options: ReplyOptions = { received: exchange.received, head: exchange.head, id: exchange.id };
  const watch = new HubWatch();
  exchange.reported ??= watch;
  const kept = reply.headers.filter(([name]) => name !== "content-type" && name !== "content-length");
  if (reply.isEventStream) {
    const source = reply.events ?? readEvents(reply.body, watch);
    const encoder = translation.stream(options);
    const body = encodeStream(source, encoder);
    const contentType = encoder.contentType ?? "text/event-stream; charset=utf-8";
    return {
      status: reply.status,
      headers: [...kept, ["content-type", contentType]],
      body,
      isEventStream: true,
      format: "client",
    };
  }
  const collected = await collectReply(reply.body, maxWholeBytes);
  const message = collected.isWhole ? parse(collected.bytes) : undefined;
  if (message === undefined)
    throw new ProxyError("The upstream's answer cannot be translated: it is no message.", { status: 502, kind: "api_error" });
  watch.observeMessage(message);
  const encoded = replyOf(translation.whole(message, options));
  return { ...encoded, headers: [...kept, ...encoded.headers] };
}

function parse(bytes: Uint8Array): { readonly [key: string]: Json } | undefined {
  try {
    const value: Json = JSON.parse(Buffer.from(bytes).toString("utf8"));
    const message = record(value);
    return message?.["type"] === "message" ? message : undefined;
  } catch {
    return undefined;
  }
}

/** No generator: the `return` of one that waits would wait for events that may never come. */
function encodeStream(source: EventSource, encoder: StreamEncoder): AsyncIterableIterator<Uint8Array> {
  let isOver = false;
  const iterator: AsyncIterableIterator<Uint8Array> = {
    async next() {
      while (!isOver) {
        const bytes = Buffer.from(await nextText());
        if (bytes.length > 0) return { done: false, value: bytes };
      }
      return { done: true, value: undefined };
    },
    async return() {
      isOver = true;
      await source.close();
      return { done: true, value: undefined };
    },
    [Symbol.asyncIterator]: () => iterator,
  };
  async function nextText(): Promise<string> {
    try {
      const batch = await source.next();
      if (batch !== undefined) return batch.map(({ value }) => (value === undefined ? "" : encoder.push(value))).join("");
      isOver = true;
      return encoder.end();
    } catch (error) {
      isOver = true;
      await source.close();
      // The protocol's own last word; whoever reads it knows that the answer is not whole.
      if (error instanceof ProxyError) return encoder.fail(error);
      throw error;
    }
  }
  return iterator;
}
