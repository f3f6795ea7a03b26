import { brotliCompressSync, constants, createBrotliCompress, createGzip, createZstdCompress, gzipSync } from "node:zlib";
import type { BrotliCompress, Gzip, ZstdCompress } from "node:zlib";
import type { ServerResponse } from "node:http";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ask, openAnswer } from "../../helpers/client.ts";
import { encodeEvent, messageEvents } from "../../helpers/events.ts";
import { deployment, startProxy, type Proxy } from "../../helpers/proxy.ts";
import { rawReply, streamReply } from "../../helpers/replies.ts";
import { startUpstream, type Upstream } from "../../helpers/upstream.ts";

const body = JSON.stringify({ model: "m", max_tokens: 5, stream: true, messages: [{ role: "user", content: "hi" }] });
const events = messageEvents({ blocks: [{ type: "text", text: "hello é😀" }], model: "m" }).map(encodeEvent);
const whole = Buffer.concat(events);

let upstream: Upstream;
let config: unknown;
let proxy: Proxy;

beforeEach(async () => {
  upstream = await startUpstream();
  // With nothing else to try, bytes flow at once.
  config = { model_list: [deployment("m", upstream.url, { num_retries: 0 })] };
  proxy = await startProxy({ config });
});

afterEach(async () => {
  await proxy[Symbol.asyncDispose]();
  await upstream.close();
});

/** The next answer of the upstream is the test's to write. */
function takeOver(headers: Readonly<Record<string, string>> = {}): Promise<ServerResponse> {
  const taken = Promise.withResolvers<ServerResponse>();
  upstream.script(
    rawReply((response) => {
      response.writeHead(200, { "content-type": "text/event-stream", ...headers });
      response.flushHeaders();
      taken.resolve(response);
    }),
  );
  return taken.promise;
}

describe("a stream through the proxy", () => {
  it("shows status and headers before the first byte, and each byte before the next", async () => {
    const taken = takeOver({ "x-upstream": "u" });
    const answer = await openAnswer(proxy.url, body);
    expect([answer.status, answer.headers["x-upstream"], answer.headers["content-type"], answer.text]).toEqual([
      200,
      "u",
      "text/event-stream",
      "",
    ]);
    const response = await taken;
    const start = events[0]!.toString();
    for (let at = 0; at < start.length; at++) {
      response.write(start[at]);
      await answer.until(start.slice(0, at + 1));
    }
    response.end(whole.subarray(start.length));
    expect(await answer.ended).toBe("clean");
    expect(answer.bytes.equals(whole)).toBe(true);
  });

  it("asks for no compression, and has none towards the client", async () => {
    upstream.script(streamReply());
    const answer = await ask(proxy.url, body, { headers: { "accept-encoding": "gzip, br, zstd" } });
    expect(upstream.requests[0]?.headers["accept-encoding"]).toBe("identity");
    expect([answer.headers["content-encoding"], answer.headers["cache-control"], answer.headers["x-accel-buffering"]]).toEqual([
      undefined,
      "no-cache, no-transform",
      "no",
    ]);
  });

  it("arrives whole in bytes of one turn each", async () => {
    upstream.script(streamReply({ events: [whole], chunking: "byte" }));
    expect((await ask(proxy.url, body)).bytes.equals(whole)).toBe(true);
  });

  it("is pinged after a silence", async () => {
    await using impatient = await startProxy({ config, timing: { pingAfterMs: 5 } });
    const taken = takeOver();
    const answer = await openAnswer(impatient.url, body);
    const response = await taken;
    response.write(events[0]);
    await answer.until("event: ping\n");
    response.end(Buffer.concat(events.slice(1)));
    await answer.ended;
    // The upstream sends one of its own.
    const ping = 'event: ping\ndata: {"type":"ping"}\n\n';
    const parts = answer.text.split(ping);
    expect(parts.join("")).toBe(whole.toString().replaceAll(ping, ""));
    expect(parts.every((part) => part === "" || part.endsWith("\n\n"))).toBe(true);
  });

  it("with a declared length may still be pinged, and ends where it ends", async () => {
    await using impatient = await startProxy({ config, timing: { pingAfterMs: 5 } });
    const taken = takeOver({ "content-length": String(whole.length) });
    const answer = await openAnswer(impatient.url, body);
    expect(answer.headers["content-length"]).toBeUndefined();
    const response = await taken;
    response.write(events[0]);
    await answer.until("event: ping\n");
    response.end(Buffer.concat(events.slice(1)));
    expect([await answer.ended, answer.text.endsWith(events.at(-1)!.toString())]).toEqual(["clean", true]);
  });
});

type Compressor = Gzip | BrotliCompress | ZstdCompress;

describe("a reply compressed although nobody asked", () => {
  it.each<[string, () => Compressor, number]>([
    ["gzip", createGzip, constants.Z_SYNC_FLUSH],
    ["br", createBrotliCompress, constants.BROTLI_OPERATION_FLUSH],
    ["zstd", createZstdCompress, constants.ZSTD_e_flush],
  ])("by %s streams event by event, plain", async (encoding, create, flush) => {
    const taken = takeOver({ "content-encoding": encoding });
    const answer = await openAnswer(proxy.url, body);
    expect(answer.headers["content-encoding"]).toBeUndefined();
    const response = await taken;
    const compressor = create();
    compressor.pipe(response);
    let sent = "";
    for (const event of events) {
      compressor.write(event);
      compressor.flush(flush, () => undefined);
      sent += event.toString();
      await answer.until(sent);
    }
    compressor.end();
    expect([await answer.ended, answer.text]).toEqual(["clean", whole.toString()]);
  });

  it.each<[string, (plain: string) => Buffer]>([
    ["gzip", (plain) => gzipSync(plain)],
    ["br", (plain) => brotliCompressSync(plain)],
  ])("by %s arrives plain when it is JSON, too", async (encoding, compress) => {
    const compressed = compress('{"usage":{"input_tokens":3}}');
    upstream.script(
      rawReply((response) => {
        response.writeHead(200, {
          "content-type": "application/json",
          "content-encoding": encoding,
          "content-length": String(compressed.length),
        });
        response.end(compressed);
      }),
    );
    const answer = await ask(proxy.url, body);
    expect([answer.end, answer.headers["content-encoding"], answer.json()]).toEqual(["clean", undefined, { usage: { input_tokens: 3 } }]);
  });

  it("in a way nobody knows is a 502, and the upstream is let go", async () => {
    const taken = takeOver({ "content-encoding": "snappy" });
    const answer = await ask(proxy.url, body);
    expect([answer.status, answer.json()]).toMatchObject([
      502,
      { error: { type: "api_error", message: expect.stringContaining("snappy") } },
    ]);
    await taken;
    await upstream.requests[0]?.aborted;
  });

  it("that is broken ends with the error event", async () => {
    const compressed = gzipSync(whole);
    upstream.script(
      rawReply((response) => {
        response.writeHead(200, { "content-type": "text/event-stream", "content-encoding": "gzip" });
        response.end(compressed.subarray(0, compressed.length - 80));
      }),
    );
    const answer = await ask(proxy.url, body);
    expect([answer.end, answer.text]).toEqual(["clean", expect.stringMatching(/event: error\ndata: .*compressed answer is broken.*\n\n$/)]);
  });
});

describe("a client that reads slowly", () => {
  const filler = encodeEvent({ type: "content_block_delta", index: 0, delta: { type: "text_delta", text: "x".repeat(65_000) } });
  const total = 64 * 1024 * 1024;
  const count = Math.ceil(total / filler.length);

  it("stops the upstream, hurts no other stream, and gets everything in the end", async () => {
    let accepted = 0;
    const stalled = Promise.withResolvers<void>();
    upstream.script([
      rawReply(async (response) => {
        response.writeHead(200, { "content-type": "text/event-stream" });
        // Each wait below leaves its listener for the close behind.
        response.setMaxListeners(0);
        response.write(events[0]);
        for (let sent = 0; sent < count && !response.destroyed; sent++) {
          if (response.write(filler)) continue;
          const drained = new Promise<void>((resolve) => void response.once("drain", resolve).once("close", resolve));
          // Whoever cannot write for so many turns stands still.
          const still = (async () => {
            for (let turn = 0; turn < 2000; turn++) await new Promise((resolve) => void setImmediate(resolve));
            stalled.resolve();
          })();
          await Promise.race([drained, still]);
          accepted = sent * filler.length;
          await drained;
        }
        response.end(events.at(-1));
      }),
      streamReply(),
    ]);
    const slow = await openAnswer(proxy.url, body);
    slow.response.pause();
    await stalled.promise;
    // What the kernel holds between four sockets, and little more.
    expect(accepted).toBeLessThan(32 * 1024 * 1024);
    for (let others = 0; others < 10; others++) {
      const other = await ask(proxy.url, body);
      expect([other.end, other.text.endsWith(events.at(-1)!.toString())]).toEqual(["clean", true]);
    }
    let received = slow.bytes.length;
    slow.response.removeAllListeners("data");
    slow.response.on("data", (chunk: Buffer) => (received += chunk.length));
    slow.response.resume();
    expect(await slow.ended).toBe("clean");
    expect(received).toBe(events[0]!.length + count * filler.length + events.at(-1)!.length);
  });
});
