/** Replies to be opened, out of queues that a test fills, and what is left of them. */

import { ByteQueue } from "../../core/upstream/byte-queue.ts";
import type { Reply } from "../../core/exchange.ts";
import type { Ingress } from "../../sdk/dialect.ts";
import type { Plugin } from "../../sdk/plugin.ts";

export function ingressOf(plugin: Plugin): Ingress {
  const ingress = plugin.setup().dialects?.[0]?.ingress;
  if (ingress === undefined) throw new Error(`${plugin.name} has no side for clients`);
  return ingress;
}

export interface Filled {
  readonly queue: ByteQueue;
  readonly flow: { paused: number; resumed: number; aborted: number };
  readonly reply: Reply;
}

export function queueReply(changes: Partial<Reply> = {}): Filled {
  const flow = { paused: 0, resumed: 0, aborted: 0 };
  const queue = new ByteQueue({ pause: () => flow.paused++, resume: () => flow.resumed++, abort: () => flow.aborted++ });
  return { queue, flow, reply: { status: 200, headers: [], body: queue, isEventStream: true, format: "client", ...changes } };
}

/** In the way that `drain` goes. */
export async function readAll(body: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  if (body instanceof ByteQueue) {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    body.forEach(
      (chunk) => void chunks.push(chunk),
      (error) => (error === undefined ? resolve() : reject(error)),
    );
    await promise;
  } else {
    for await (const chunk of body) chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

/** A body that no queue fills: chunks come when the test gives them. */
export interface PulledBody {
  readonly body: AsyncIterable<Uint8Array>;
  /** How often it was let go. */
  readonly returned: () => number;
  /** How often it was asked for a chunk. */
  readonly asked: () => number;
  give(chunk: string | Uint8Array): void;
  end(error?: Error): void;
}

export function pulledBody(): PulledBody {
  const given: (Uint8Array | Error | undefined)[] = [];
  let wake = Promise.withResolvers<void>();
  let returned = 0;
  let asked = 0;
  const put = (item: Uint8Array | Error | undefined): void => {
    given.push(item);
    wake.resolve();
  };
  const body: AsyncIterableIterator<Uint8Array> = {
    async next() {
      asked++;
      while (given.length === 0) {
        await wake.promise;
        wake = Promise.withResolvers();
      }
      const value = given.shift();
      if (value instanceof Error) throw value;
      return value === undefined ? { done: true, value } : { done: false, value };
    },
    async return() {
      returned++;
      return { done: true, value: undefined };
    },
    [Symbol.asyncIterator]: () => body,
  };
  return {
    body,
    returned: () => returned,
    asked: () => asked,
    give: (chunk) => put(typeof chunk === "string" ? Buffer.from(chunk) : chunk),
    end: put,
  };
}
