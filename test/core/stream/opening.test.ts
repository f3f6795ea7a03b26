import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import type { Reply } from "../../../core/exchange.ts";
import { type Opening, openReply } from "../../../core/stream/opening.ts";
import { ByteQueue } from "../../../core/upstream/byte-queue.ts";
import { createAnthropicPlugin } from "../../../plugins/anthropic/index.ts";
import type { Ingress } from "../../../sdk/dialect.ts";
import { ProxyError } from "../../../sdk/errors.ts";
import { encodeEvent, messageEvents, messageObject } from "../../helpers/events.ts";

const plugin = await createAnthropicPlugin().setup({});
const ingress = plugin.dialects?.[0]?.ingress as Ingress;

const events = messageEvents({ blocks: [{ type: "text", text: "hello é😀" }], model: "claude-sonnet-5-5" });
const [start, blockStart] = events.map(encodeEvent) as [Buffer, Buffer];
const whole = Buffer.concat(events.map(encodeEvent));
const pingEvent = encodeEvent({ type: "ping" });

interface Flows {
  paused: number;
  resumed: number;
  aborted: number;
}

function queueReply(isEventStream = true): { readonly queue: ByteQueue; readonly flow: Flows; readonly reply: Reply } {
  const flow: Flows = { paused: 0, resumed: 0, aborted: 0 };
  const queue = new ByteQueue({ pause: () => flow.paused++, resume: () => flow.resumed++, abort: () => flow.aborted++ });
  return { queue, flow, reply: { status: 200, headers: [], body: queue, isEventStream, format: "client" } };
}

/** The way that `drain` goes. */
function readAll(body: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  if (!(body instanceof ByteQueue)) return collect(body);
  return new Promise((resolve, reject) => {
    body.forEach(
      (chunk) => void chunks.push(chunk),
      (error) => (error === undefined ? resolve(Buffer.concat(chunks)) : reject(error)),
    );
  });
}

async function collect(body: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return Buffer.concat(chunks);
}

function open(reply: Reply, options: { readonly holdMs?: number; readonly signal?: AbortSignal } = {}): Promise<Opening> {
  return openReply({ ingress }, reply, { holdMs: 10_000, signal: new AbortController().signal, ...options });
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => {
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
});

describe("a stream as bytes", () => {
  it("is held until there is content, and goes on in the same queue, byte for byte", async () => {
    const { queue, reply } = queueReply();
    let opening: Opening | undefined;
    const opened = open(reply).then((result) => (opening = result));
    for (const preamble of [start, Buffer.from(": a comment\n\n"), pingEvent, blockStart.subarray(0, -1)]) {
      queue.push(preamble);
      await vi.advanceTimersByTimeAsync(1000);
      expect(opening).toBeUndefined();
    }
    queue.push(blockStart.subarray(-1));
    await opened;
    expect(opening).toMatchObject({ type: "content", reply: { body: queue } });
    const rest = whole.subarray(start.length + blockStart.length);
    queue.push(rest);
    queue.end();
    expect(await readAll(queue)).toEqual(Buffer.concat([start, Buffer.from(": a comment\n\n"), pingEvent, blockStart, rest]));
  });
});
