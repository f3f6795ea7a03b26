import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import Anthropic, { APIError } from "@anthropic-ai/sdk";
import { afterEach, describe, expect, it } from "vitest";
import { ClientGone } from "../../../core/body/collect.ts";
import { drain } from "../../../core/stream/drain.ts";
import { encodeStreamError } from "../../../plugins/anthropic/errors.ts";
import { ProxyError } from "../../../sdk/errors.ts";
import { ask, openAnswer } from "../../helpers/client.ts";
import { closeServed, ping, serve } from "../../helpers/drained.ts";
import { encodeEvent, messageEvents } from "../../helpers/events.ts";

afterEach(closeServed);

const events = messageEvents({ blocks: [{ type: "text", text: "hello é😀" }], model: "claude-sonnet-5-5" }).map(encodeEvent);
const whole = Buffer.concat(events).toString();
const cutOff = new ProxyError("the upstream broke off", { status: 502, kind: "overloaded_error" });

describe("a stream", () => {
  it("shows its status and headers before there is a byte of it", async () => {
    const { base, queue } = await serve();
    const answer = await openAnswer(base, "{}");
    expect([answer.status, answer.headers["content-type"], answer.text]).toEqual([200, "text/event-stream", ""]);
    queue.push(Buffer.from(whole));
    queue.end();
    expect(await answer.ended).toBe("clean");
  });

  it("shows each byte without waiting for the next", async () => {
    const { base, queue } = await serve();
    const answer = await openAnswer(base, "{}");
    for (let at = 0; at < 40; at++) {
      queue.push(Buffer.from(whole.slice(at, at + 1)));
      await answer.until(whole.slice(0, at + 1));
    }
    queue.push(Buffer.from(whole.slice(40)));
    queue.end();
    expect([await answer.ended, answer.text]).toEqual(["clean", whole]);
  });

  it("that came whole ends clean, and tells its usage", async () => {
    const { base, queue, drained } = await serve();
    queue.push(Buffer.from(whole));
    queue.end();
    expect((await ask(base, "{}")).text).toBe(whole);
    expect(await drained).toMatchObject({ failure: undefined, summary: { complete: true, usage: { inputTokens: 10 } } });
  });
});

/** What the vendor's client makes of these bytes. */
async function readBySdk(text: string): Promise<{ readonly types: readonly string[]; readonly error: unknown }> {
  const served = async (): Promise<Response> => new Response(text, { headers: { "content-type": "text/event-stream" } });
  const client = new Anthropic({ apiKey: "none", maxRetries: 0, fetch: served, logLevel: "off" });
  const stream = await client.messages.create({ model: "m", max_tokens: 1, messages: [], stream: true });
  const types: string[] = [];
  try {
    for await (const event of stream) types.push(event.type);
  } catch (error) {
    return { types, error };
  }
  return { types, error: undefined };
}

describe("a stream that breaks", () => {
  it("between two events ends with the error event, nothing else", async () => {
    const { base, queue, drained } = await serve();
    const before = Buffer.concat(events.slice(0, 4));
    queue.push(before);
    queue.fail(cutOff);
    const answer = await ask(base, "{}");
    expect([answer.end, answer.text]).toEqual(["clean", before.toString() + Buffer.from(encodeStreamError(cutOff)).toString()]);
    expect((await drained).failure).toBe(cutOff);
  });

  it("before its first byte is the error event alone", async () => {
    const { base, queue } = await serve();
    queue.fail(cutOff);
    expect((await ask(base, "{}")).text).toBe(Buffer.from(encodeStreamError(cutOff)).toString());
  });

  it("at any byte, in any spelling of line ends, is the same typed error for the vendor's client", async () => {
    const spellings = [whole, whole.replaceAll("\n", "\r\n"), whole.replaceAll("\n", "\r")];
    for (const spelling of spellings) {
      const bytes = Buffer.from(spelling);
      const lastEvent = bytes.lastIndexOf("event: message_stop");
      // Every byte of the second event and around the last one.
      const [from, to] = [bytes.indexOf("event: ", 1), bytes.indexOf("event: ", bytes.indexOf("event: ", 1) + 1)];
      const places = [...Array(to - from + 3).keys()].map((at) => from - 1 + at).concat(lastEvent - 2, lastEvent, lastEvent + 22);
      const texts = await Promise.all(
        places.map(async (at) => {
          const { base, queue } = await serve();
          queue.push(bytes.subarray(0, at));
          queue.fail(cutOff);
          return (await ask(base, "{}")).text;
        }),
      );
      for (const [index, text] of texts.entries()) {
        const { error } = await readBySdk(text);
        if (!(error instanceof APIError) || error.type !== "overloaded_error")
          expect.fail(`at byte ${places[index]}: ${String(error)}\n${text}`);
      }
      closeServed();
    }
  });

  it("without its last event is no clean end, although its upstream ended so", async () => {
    const { base, queue, drained } = await serve();
    queue.push(Buffer.concat(events.slice(0, -1)));
    queue.end();
    const { error } = await readBySdk((await ask(base, "{}")).text);
    expect(error).toMatchObject({ type: "api_error", message: expect.stringContaining("ended its stream before the answer was complete") });
    expect((await drained).failure).toBeInstanceOf(ProxyError);
  });

  it("behind its last event is complete all the same", async () => {
    const { base, queue, drained } = await serve();
    queue.push(Buffer.from(whole));
    queue.fail(cutOff);
    expect(await ask(base, "{}")).toMatchObject({ end: "clean", text: whole });
    expect((await drained).failure).toBeUndefined();
  });

  it("within the blank line of its last event is completed", async () => {
    for (const missing of [1, 2]) {
      const { base, queue, drained } = await serve();
      queue.push(Buffer.from(whole.slice(0, -missing)));
      queue.fail(cutOff);
      const { types, error } = await readBySdk((await ask(base, "{}")).text);
      expect([types.at(-1), error, (await drained).failure]).toEqual(["message_stop", undefined, undefined]);
    }
  });

  it.each(["ends", "breaks"])("with an error event of the upstream gets no second one, when the upstream then %s", async (how) => {
    const { base, queue, drained } = await serve();
    const text = Buffer.concat([
      ...events.slice(0, 3),
      encodeEvent({ type: "error", error: { type: "overloaded_error", message: "Overloaded" } }),
    ]);
    queue.push(text);
    if (how === "ends") queue.end();
    else queue.fail(cutOff);
    expect(await ask(base, "{}")).toMatchObject({ end: "clean", text: text.toString() });
    expect(await drained).toMatchObject({ failure: undefined, summary: { complete: false, error: "overloaded_error" } });
  });

  it("for a reason within the proxy tells none of it", async () => {
    const { base, queue } = await serve();
    queue.fail(new Error("a secret at line 42"));
    const { text } = await ask(base, "{}");
    expect(text).toContain("event: error");
    expect(text).not.toContain("secret");
  });

  it("that nobody watches gets its error event too", async () => {
    const { base, queue } = await serve("unwatched");
    queue.push(Buffer.from('event: x\ndata: {"ha'));
    queue.fail(cutOff);
    const { error } = await readBySdk((await ask(base, "{}")).text);
    expect(error).toMatchObject({ type: "overloaded_error" });
  });
});

describe("a plain reply", () => {
  it("that breaks is cut off, never ended", async () => {
    const { base, queue, drained } = await serve("json");
    queue.push(Buffer.from('{"id":'));
    const answer = await openAnswer(base, "{}");
    await answer.until('{"id":');
    queue.fail(cutOff);
    expect([await answer.ended, answer.text]).toEqual(["broken", '{"id":']);
    expect((await drained).failure).toBe(cutOff);
  });

  it("whose headers cannot be written is let go by those who hold its body", async () => {
    const letGo = Promise.withResolvers<string>();
    const body: AsyncIterableIterator<Uint8Array> = {
      next: () => Promise.reject(new Error("not asked for")),
      async return() {
        letGo.resolve("let go");
        return { done: true, value: undefined };
      },
      [Symbol.asyncIterator]: () => body,
    };
    const server = createServer((_, response) => {
      response.on("error", () => undefined);
      const reply = { status: 200, headers: [["x-bad", "\n"]] as const, body, isEventStream: true, format: "client" } as const;
      const { signal } = new AbortController();
      const timing = { pingAfterMs: 10_000, stuckAfterMs: 10_000 };
      void drain(response, reply, { watch: undefined, ping, ...timing, encodeStreamError, signal, now: () => 0 });
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    await ask(`http://127.0.0.1:${port}`, "{}").catch(() => undefined);
    expect(await letGo.promise).toBe("let go");
    server.close().closeAllConnections();
  });

  it("whose headers cannot be written is cut off, and the failure told", async () => {
    const { base, drained, source } = await serve("json", [["bad", "line\nbreak"]]);
    await expect(ask(base, "{}")).rejects.toThrow();
    expect((await drained).failure).toBeInstanceOf(TypeError);
    expect(source.aborted).toBe(1);
  });
});

describe("a client that leaves", () => {
  it.each(["while nothing comes", "while more is there"])("%s is the reason of the failure", async (when) => {
    const { base, queue, drained, response } = await serve();
    const answer = await openAnswer(base, "{}");
    answer.leave();
    await once(await response, "close");
    for (const event of events) if (when === "while more is there") queue.push(event);
    expect((await drained).failure).toBeInstanceOf(ClientGone);
  });
});
