/** A reply on another wire, told in events of the hub. */

import type { JsonObject } from "../../sdk/events.ts";
import type { StreamDecoder } from "../../sdk/wire.ts";
import { type EventItem, type EventSource, TranslatedEvent } from "../stream/event-source.ts";
import { ByteQueue } from "../upstream/byte-queue.ts";
import type { HubWatch } from "./hub-watch.ts";

/** @param watch sees every event, as the upstream meant it */
export function decodeStream(body: AsyncIterable<Uint8Array>, decoder: StreamDecoder, watch: HubWatch): EventSource {
  const iterator = body[Symbol.asyncIterator]();
  let isOver = false;
  const take = (events: readonly JsonObject[]): readonly EventItem[] => {
    for (const event of events) watch.observe(event);
    return events.map((event) => new TranslatedEvent(event));
  };
  return {
    async next() {
      while (!isOver) {
        const result = await iterator.next();
        if (result.done === true) {
          isOver = true;
          const last = take(decoder.end());
          return last.length === 0 ? undefined : last;
        }
        const events = [...decoder.push(result.value)];
        if (body instanceof ByteQueue) for (const chunk of body.takeBuffered()) events.push(...decoder.push(chunk));
        if (events.length > 0) return take(events);
      }
      return undefined;
    },
    async close() {
      if (isOver) return;
      isOver = true;
      await iterator.return?.().then(undefined, () => undefined);
    },
  };
}

/** Events that are all there. */
export function eventsOf(events: readonly JsonObject[], watch: HubWatch): EventSource {
  for (const event of events) watch.observe(event);
  let left: readonly EventItem[] | undefined = events.map((event) => new TranslatedEvent(event));
  return {
    async next() {
      const batch = left;
      left = undefined;
      return batch === undefined || batch.length === 0 ? undefined : batch;
    },
    close: () => Promise.resolve(),
  };
}
