/** The events of a reply on their way through the stages that look at them, in batches of what has arrived. */

import type { ReplyWatch } from "../../sdk/dialect.ts";
import type { EventCodec, JsonObject, StreamEvent } from "../../sdk/events.ts";
import { ByteQueue } from "../upstream/byte-queue.ts";

/** An event, as it came or as user code wants it. */
export interface EventItem {
  /** Undefined for one that has to be encoded. */
  readonly raw: Uint8Array | undefined;
  readonly type: string;
  readonly data: string;
  readonly value: JsonObject | undefined;
}

/** Single consumer, one call at a time. */
export interface EventSource {
  /** At least one event; undefined at the end. Rejects when there will be no proper end. */
  next(): Promise<readonly EventItem[] | undefined>;
  /** The consumer is done, or `next` has rejected: everything behind it is let go. Never rejects. */
  close(): Promise<void>;
}

/** @param watch sees every byte as the upstream sent it */
export function readEvents(body: AsyncIterable<Uint8Array>, codec: EventCodec, watch: ReplyWatch): EventSource {
  return new BodyEvents(body, codec, watch);
}

class BodyEvents implements EventSource {
  readonly #body: AsyncIterable<Uint8Array>;
  readonly #iterator: AsyncIterator<Uint8Array>;
  readonly #splitter: ReturnType<EventCodec["split"]>;
  readonly #watch: ReplyWatch;
  #ended = false;

  constructor(body: AsyncIterable<Uint8Array>, codec: EventCodec, watch: ReplyWatch) {
    this.#body = body;
    this.#iterator = body[Symbol.asyncIterator]();
    this.#splitter = codec.split();
    this.#watch = watch;
  }

  async next(): Promise<readonly EventItem[] | undefined> {
    while (!this.#ended) {
      const result = await this.#iterator.next();
      if (result.done === true) {
        this.#ended = true;
        const last = this.#splitter.end();
        return last.length === 0 ? undefined : last;
      }
      const events = this.#split([result.value, ...(this.#body instanceof ByteQueue ? this.#body.takeBuffered() : [])]);
      if (events.length > 0) return events;
    }
    return undefined;
  }

  #split(chunks: readonly Uint8Array[]): readonly StreamEvent[] {
    const [only] = chunks;
    for (const chunk of chunks) this.#watch.push(chunk);
    if (chunks.length === 1 && only !== undefined) return this.#splitter.push(only);
    return chunks.flatMap((chunk) => [...this.#splitter.push(chunk)]);
  }

  async close(): Promise<void> {
    if (this.#ended) return;
    this.#ended = true;
    await this.#iterator.return?.().then(undefined, () => undefined);
  }
}

/** An event that user code made. @param data what `EventCodec.read` takes */
export function madeEvent(data: string, value: JsonObject): EventItem {
  return { raw: undefined, type: typeof value["type"] === "string" ? value["type"] : "", data, value };
}

/** The bytes of the events, one chunk a batch; untouched ones as they came. */
export function writeEvents(source: EventSource, codec: EventCodec): AsyncIterableIterator<Uint8Array> {
  let isOver = false;
  const iterator: AsyncIterableIterator<Uint8Array> = {
    async next() {
      try {
        for (;;) {
          const batch = isOver ? undefined : await source.next();
          if (batch === undefined) break;
          const bytes = encodeAll(batch, codec);
          if (bytes.length > 0) return { done: false, value: bytes };
        }
      } catch (error) {
        await iterator.return?.();
        throw error;
      }
      isOver = true;
      return { done: true, value: undefined };
    },
    async return() {
      isOver = true;
      await source.close();
      return { done: true, value: undefined };
    },
    [Symbol.asyncIterator]: () => iterator,
  };
  return iterator;
}

function encodeAll(batch: readonly EventItem[], codec: EventCodec): Uint8Array {
  const [only] = batch;
  if (batch.length === 1 && only !== undefined) return only.raw ?? codec.encode(only.data);
  return Buffer.concat(batch.map(({ raw, data }) => raw ?? codec.encode(data)));
}
