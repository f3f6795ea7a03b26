/** The events of a reply on their way through the stages that look at them, in batches of what has arrived. */

import type { EventSplitter, JsonObject, StreamEvent } from "../../sdk/events.ts";
import { events as hubEvents } from "../../sdk/hub/events.ts";
import type { HubWatch } from "../translation/hub-watch.ts";
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

/** @param body in the hub's format @param watch sees every event as the upstream sent it */
export function readEvents(body: AsyncIterable<Uint8Array>, watch: HubWatch): EventSource {
  return new BodyEvents(body, watch);
}

class BodyEvents implements EventSource {
  readonly #body: AsyncIterable<Uint8Array>;
  readonly #iterator: AsyncIterator<Uint8Array>;
  readonly #splitter: EventSplitter = hubEvents.split();
  readonly #watch: HubWatch;
  #ended = false;

  constructor(body: AsyncIterable<Uint8Array>, watch: HubWatch) {
    this.#body = body;
    this.#iterator = body[Symbol.asyncIterator]();
    this.#watch = watch;
  }

  async next(): Promise<readonly EventItem[] | undefined> {
    while (!this.#ended) {
      const result = await this.#iterator.next();
      if (result.done === true) {
        this.#ended = true;
        const last = this.#watched(this.#splitter.end());
        return last.length === 0 ? undefined : last;
      }
      const events = this.#split([result.value, ...(this.#body instanceof ByteQueue ? this.#body.takeBuffered() : [])]);
      if (events.length > 0) return events;
    }
    return undefined;
  }

  #split(chunks: readonly Uint8Array[]): readonly StreamEvent[] {
    const [only] = chunks;
    if (chunks.length === 1 && only !== undefined) return this.#watched(this.#splitter.push(only));
    return this.#watched(chunks.flatMap((chunk) => [...this.#splitter.push(chunk)]));
  }

  #watched(events: readonly StreamEvent[]): readonly StreamEvent[] {
    for (const { value } of events) if (value !== undefined) this.#watch.observe(value);
    return events;
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
export function writeEvents(source: EventSource): AsyncIterableIterator<Uint8Array> {
  let isOver = false;
  const iterator: AsyncIterableIterator<Uint8Array> = {
    async next() {
      try {
        for (;;) {
          const batch = isOver ? undefined : await source.next();
          if (batch === undefined) break;
          const bytes = encodeAll(batch);
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

function encodeAll(batch: readonly EventItem[]): Uint8Array {
  const [only] = batch;
  if (batch.length === 1 && only !== undefined) return bytesOf(only);
  if (batch.every((item) => item instanceof TranslatedEvent)) return Buffer.from(batch.map(({ text }) => text).join(""));
  return Buffer.concat(batch.map(bytesOf));
}

function bytesOf(item: EventItem): Uint8Array {
  return item.raw ?? hubEvents.encode(item.data);
}

/** An event that a translation told: known to be one of the protocol, written down only where it is asked for. */
export class TranslatedEvent implements EventItem {
  readonly type: string;
  readonly value: JsonObject;
  #data: string | undefined;

  constructor(value: JsonObject) {
    this.value = value;
    this.type = typeof value["type"] === "string" ? value["type"] : "";
  }

  get data(): string {
    return (this.#data ??= JSON.stringify(this.value));
  }

  /** As the hub's wire has it. */
  get text(): string {
    return `event: ${this.type}\ndata: ${this.data}\n\n`;
  }

  get raw(): Uint8Array {
    return Buffer.from(this.text);
  }
}
