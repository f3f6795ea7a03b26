import { afterEach, describe, expect, it, vi } from "vitest";
import { openAnswer, type OpenAnswer } from "../../helpers/client.ts";
import { closeServed, ping, serve, type Served } from "../../helpers/drained.ts";
import { encodeEvent, messageEvents } from "../../helpers/events.ts";

afterEach(() => {
  vi.useRealTimers();
  closeServed();
});

const events = messageEvents({ blocks: [{ type: "text", text: "hello" }], model: "claude-sonnet-5-5" }).map(encodeEvent);
const whole = Buffer.concat(events).toString();
const turn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

describe("a client that reads slowly", () => {
  const chunk = Buffer.from(`event: x\ndata: "${"x".repeat(65_536 - 22)}"\n\n`.slice(0, 65_536));

  /** Fills the queue as a socket would, as long as it is not paused. */
  function pour(served: Served, limit: number, of: Buffer = chunk): number {
    let poured = 0;
    while (served.source.paused === served.source.resumed && poured < limit) {
      served.queue.push(of);
      poured += of.length;
    }
    return poured;
  }

  it.each([[65_536], [40_000], [1000], [100], [31_000, 65_536, 63_000]])(
    "stops the source with little held, in chunks of %d bytes",
    async (...sizes) => {
      const served = await serve();
      const answer = await openAnswer(served.base, "{}");
      answer.response.pause();
      const response = await served.response;
      const held = { queue: 0, response: 0 };
      let poured = 0;
      // The kernel takes some megabytes; then everything must stand still.
      for (let quiet = 0, round = 0; quiet < 50; round++) {
        const before = poured;
        poured += pour(served, 65_536, chunk.subarray(0, sizes[round % sizes.length]));
        held.queue = Math.max(held.queue, served.queue.bufferedBytes);
        held.response = Math.max(held.response, response.writableLength);
        await turn();
        quiet = poured === before ? quiet + 1 : 0;
        if (poured > 64 * 1024 * 1024) expect.fail("the source was never stopped");
      }
      // Ours: the queue. The socket's own: up to its high water mark and the write that crossed it.
      expect(held.queue).toBeLessThanOrEqual(32 * 1024 + 65_536);
      if (sizes.length === 1) expect(held.queue).toBeLessThanOrEqual(65_536);
      expect(held.response).toBeLessThanOrEqual(response.writableHighWaterMark + 65_536 + 16);
      answer.leave();
      await served.drained;
    },
  );

  it("gets every byte in the end", async () => {
    const served = await serve();
    const answer = await openAnswer(served.base, "{}");
    answer.response.pause();
    const size = 24 * 1024 * 1024;
    let poured = 0;
    let resumed = false;
    while (poured < size) {
      const more = pour(served, 65_536);
      poured += more;
      // Once everything stands still, the client reads on.
      if (more === 0 && !resumed) {
        for (let count = 0; count < 20; count++) await turn();
        resumed = true;
        answer.response.resume();
      }
      await turn();
    }
    const end = events.at(-1)!;
    served.queue.push(end);
    served.queue.end();
    expect([await answer.ended, resumed]).toEqual(["clean", true]);
    expect(answer.bytes.equals(Buffer.concat([Buffer.alloc(poured, chunk), end]))).toBe(true);
  });

  it("is cut off once it took nothing for two minutes", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const served = await serve();
    const answer = await openAnswer(served.base, "{}");
    answer.response.pause();
    const response = await served.response;
    for (let quiet = 0; quiet < 50;) {
      const more = pour(served, 65_536);
      await turn();
      quiet = more === 0 ? quiet + 1 : 0;
    }
    vi.advanceTimersByTime(119_999);
    expect(response.destroyed).toBe(false);
    vi.advanceTimersByTime(1);
    expect(response.destroyed).toBe(true);
    expect((await served.drained).failure).toMatchObject({ name: "ClientGone", message: "the client took nothing for 120 s" });
    expect(served.source.aborted).toBe(1);
    answer.leave();
  });

  it("gets no pings on top of what it has not read", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const served = await serve();
    const answer = await openAnswer(served.base, "{}");
    answer.response.pause();
    const response = await served.response;
    const event = Buffer.from(`data: ${"x".repeat(65_528)}\n\n`);
    for (let quiet = 0; quiet < 50;) {
      const more = pour(served, 65_536, event);
      await turn();
      quiet = more === 0 ? quiet + 1 : 0;
    }
    const before = response.writableLength;
    vi.advanceTimersByTime(60_000);
    expect(response.writableLength).toBe(before);
    answer.leave();
    await served.drained;
  });
});

describe("a silence", () => {
  const silence = (ms: number): unknown => vi.advanceTimersByTime(ms);

  async function open(
    kind?: "stream" | "json" | "unwatched",
  ): Promise<{ served: Served; answer: OpenAnswer; push: (text: string) => Promise<void> }> {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const served = await serve(kind);
    const asked = openAnswer(served.base, "{}");
    const start = kind === "stream" || kind === undefined ? events[0]! : Buffer.from("data: start\n\n");
    served.queue.push(start);
    const answer = await asked;
    await answer.until(start.toString());
    const push = async (text: string): Promise<void> => {
      served.queue.push(Buffer.from(text));
      await answer.until(text);
    };
    return { served, answer, push };
  }

  it("of 10 s is broken by a ping, and then every 10 s", async () => {
    const { served, answer, push } = await open();
    silence(9999);
    await push("data: one\n\n");
    silence(9999);
    await push("data: two\n\n");
    silence(10_000);
    silence(10_000);
    const pings = ping.toString();
    await push("data: three\n\n");
    expect(answer.text).toBe(`${events[0]!.toString()}data: one\n\ndata: two\n\n${pings}${pings}data: three\n\n`);
    served.queue.push(events.at(-1)!);
    served.queue.end();
    await answer.ended;
    expect(vi.getTimerCount()).toBe(0);
  });

  it("before the first event is broken by a ping", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const served = await serve();
    const answer = await openAnswer(served.base, "{}");
    silence(10_000);
    await answer.until(ping.toString());
    served.queue.push(Buffer.from(whole));
    served.queue.end();
    await answer.ended;
    expect(answer.text).toBe(ping.toString() + whole);
  });

  it("within an event is left alone, whatever part of it is missing", async () => {
    const { answer, push, served } = await open();
    const event = 'event: content_block_delta\r\ndata: {"text":"é"}\r\n\r\n';
    let expected = events[0]!.toString();
    for (const character of event) {
      await push(character);
      expected += character;
      if (expected.endsWith("\r\n\r\n")) break;
      silence(30_000);
    }
    silence(10_000);
    await answer.until(ping.toString());
    expect(answer.text).toBe(expected + ping.toString());
    answer.leave();
    await served.drained;
  });

  it.each(["json", "unwatched"] as const)("of a %s reply is left alone", async (kind) => {
    const { answer, push, served } = await open(kind);
    silence(60_000);
    await turn();
    await push("data: end\n\n");
    expect(answer.text).toBe("data: start\n\ndata: end\n\n");
    answer.leave();
    await served.drained;
  });
});
