/** A reply that is copied while it goes by, as fast as it did before. */

import { events as hubEvents } from "../../sdk/hub/events.ts";
import type { Reply } from "../exchange.ts";
import { type EventSource, writeEvents } from "../stream/event-source.ts";
import { ByteQueue } from "../upstream/byte-queue.ts";
import type { ReplyCopy } from "./copy.ts";

/** @returns the same reply; `copy` is told of every byte, and of the end before whoever reads it */
export function teeReply(reply: Reply, copy: ReplyCopy): Reply {
  if (reply.events !== undefined) {
    const events = teeEvents(reply.events, copy);
    return { ...reply, events, body: writeEvents(events) };
  }
  return { ...reply, body: reply.body instanceof ByteQueue ? teeQueue(reply.body, copy) : teeBody(reply.body, copy) };
}

/** Bytes of a socket go from one queue to the next in the turn in which they come. */
function teeQueue(source: ByteQueue, copy: ReplyCopy): ByteQueue {
  let paused: PromiseWithResolvers<void> | undefined;
  const goOn = (): void => {
    paused?.resolve();
    paused = undefined;
  };
  const queue = new ByteQueue({
    pause: () => void (paused ??= Promise.withResolvers()),
    resume: goOn,
    abort() {
      copy.drop();
      goOn();
      void source.return();
    },
  });
  source.forEach(
    (chunk) => {
      copy.push(chunk);
      queue.push(chunk);
      return paused?.promise;
    },
    (error) => {
      if (error === undefined) {
        copy.end();
        queue.end();
        return;
      }
      copy.drop();
      queue.fail(error instanceof Error ? error : new Error("the body failed", { cause: error }));
    },
  );
  return queue;
}

/** No generator: the `return` of one that waits would wait for bytes that may never come. */
function teeBody(body: AsyncIterable<Uint8Array>, copy: ReplyCopy): AsyncIterableIterator<Uint8Array> {
  const source = body[Symbol.asyncIterator]();
  const iterator: AsyncIterableIterator<Uint8Array> = {
    async next() {
      try {
        const result = await source.next();
        if (result.done === true) copy.end();
        else copy.push(result.value);
        return result;
      } catch (error) {
        copy.drop();
        throw error;
      }
    },
    async return() {
      copy.drop();
      await source.return?.();
      return { done: true, value: undefined };
    },
    [Symbol.asyncIterator]: () => iterator,
  };
  return iterator;
}

function teeEvents(source: EventSource, copy: ReplyCopy): EventSource {
  return {
    async next() {
      try {
        const batch = await source.next();
        if (batch === undefined) copy.end();
        else copy.push(Buffer.concat(batch.map(({ raw, data }) => raw ?? hubEvents.encode(data))));
        return batch;
      } catch (error) {
        copy.drop();
        throw error;
      }
    },
    close() {
      copy.drop();
      return source.close();
    },
  };
}
