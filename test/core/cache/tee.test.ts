import { describe, expect, test } from "vitest";

import { type CopyEnd, ReplyCopy } from "../../../core/cache/copy.ts";
import { teeReply } from "../../../core/cache/tee.ts";
import type { Reply } from "../../../core/exchange.ts";
import { TranslatedEvent } from "../../../core/stream/event-source.ts";
import { ByteQueue } from "../../../core/upstream/byte-queue.ts";

interface Source {
  readonly queue: ByteQueue;
  readonly calls: readonly string[];
}

function createSource(): Source {
  const calls: string[] = [];
  const queue = new ByteQueue({
    pause: () => calls.push("pause"),
    resume: () => calls.push("resume"),
    abort: () => calls.push("abort"),
  });
  return { queue, calls };
}

function tee(body: AsyncIterable<Uint8Array>, more: Partial<Reply> = {}): { readonly reply: Reply; readonly ends: readonly CopyEnd[] } {
  const ends: CopyEnd[] = [];
  const copy = new ReplyCopy(1_000_000, (end) => ends.push(end));
  return { reply: teeReply({ status: 200, headers: [], body, isEventStream: true, format: "hub", ...more }, copy), ends };
}

function queueOf({ body }: Reply): ByteQueue {
  if (!(body instanceof ByteQueue)) throw new Error("the short way is lost");
  return body;
}

const bytes = Buffer.from("some bytes");

async function all(body: AsyncIterable<Uint8Array>): Promise<readonly Uint8Array[]> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return chunks;
}

describe("a body of a socket that is copied", () => {
  test("goes on in the turn in which it comes, its end included", () => {
    const { queue } = createSource();
    const { reply, ends } = tee(queue);
    const taken: unknown[] = [];
    queueOf(reply).forEach(
      (chunk) => void taken.push(chunk),
      (error) => void taken.push(error ?? "end"),
    );
    queue.push(bytes);
    expect(taken).toEqual([bytes]);
    queue.end();
    expect(taken).toEqual([bytes, "end"]);
    expect(ends).toEqual([{ body: bytes, pieces: [bytes.length] }]);
  });

  test("is known to be whole before its reader knows", () => {
    const { queue } = createSource();
    const { reply, ends } = tee(queue);
    let known = 0;
    queueOf(reply).forEach(
      () => undefined,
      () => void (known = ends.length),
    );
    queue.end();
    expect(known).toBe(1);
  });

  test("comes no faster than it is read", async () => {
    const { queue, calls } = createSource();
    const { reply } = tee(queue);
    const large = Buffer.alloc(40_000);
    queue.push(large);
    expect(calls).toEqual(["pause"]);
    const body = queueOf(reply);
    await body.next();
    queue.push(bytes);
    expect((await body.next()).value).toEqual(bytes);
    expect(calls).toEqual(["pause", "resume"]);
  });

  test("that fails is no copy, and fails for its reader in the same way", async () => {
    const { queue } = createSource();
    const { reply, ends } = tee(queue);
    queue.push(bytes);
    queue.fail(new Error("broken"));
    const body = queueOf(reply);
    expect((await body.next()).value).toEqual(bytes);
    await expect(body.next()).rejects.toThrow("broken");
    expect(ends).toEqual(["cut off"]);
  });

  test("that its reader gives up is let go of", async () => {
    const { queue, calls } = createSource();
    const { reply, ends } = tee(queue);
    queue.push(bytes);
    await queueOf(reply).return();
    expect(calls).toEqual(["abort"]);
    expect(ends).toEqual(["cut off"]);
  });
});

describe("a body that a stage has wrapped", () => {
  async function* body(isGood: boolean): AsyncGenerator<Uint8Array> {
    yield bytes;
    yield bytes;
    if (!isGood) throw new Error("broken");
  }

  test("is copied to its end", async () => {
    const { reply, ends } = tee(body(true));
    expect(await all(reply.body)).toEqual([bytes, bytes]);
    expect(ends).toEqual([{ body: Buffer.concat([bytes, bytes]), pieces: [bytes.length, bytes.length] }]);
  });

  test.each([false, true])("is no copy where it fails, or is given up: %s", async (isGood) => {
    const { reply, ends } = tee(body(isGood));
    const read = async (): Promise<void> => {
      for await (const chunk of reply.body) if (isGood && chunk === bytes) break;
    };
    await read().catch(() => undefined);
    expect(ends).toEqual(["cut off"]);
  });
});

test("events are copied as bytes of the hub, a piece for those that came together", async () => {
  const batches = [[{ type: "ping" }, { type: "content_block_stop", index: 0 }], [{ type: "message_stop" }]];
  const left = [...batches];
  const source = {
    next: async () => left.shift()?.map((value) => new TranslatedEvent(value)),
    close: async () => undefined,
  };
  const { reply, ends } = tee(createSource().queue, { events: source });
  const told = Buffer.concat(await all(reply.body));
  expect(told.toString()).toContain('event: message_stop\ndata: {"type":"message_stop"}\n\n');
  expect(ends).toEqual([{ body: told, pieces: [expect.any(Number), expect.any(Number)] }]);
});
