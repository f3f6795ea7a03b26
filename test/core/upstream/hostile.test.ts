import { createGzip, constants, gzipSync } from "node:zlib";
import { afterEach, describe, expect, it } from "vitest";
import { decode } from "../../../core/upstream/decode.ts";
import { Pools } from "../../../core/upstream/pools.ts";
import { startRawUpstream } from "../../helpers/raw-upstream.ts";
import { ask, text } from "./asking.ts";

const pools = new Pools();
afterEach(() => pools.close());

const head = "HTTP/1.1 200 OK\r\n";
const chunked = `${head}Transfer-Encoding: chunked\r\n\r\n`;

describe("an upstream that answers with anything", () => {
  it.each<[string, string, string, RegExp]>([
    ["N22 a header of 100 KB", `${head}X-Long: ${"x".repeat(100_000)}\r\n\r\n`, "closed-in-response", /sent more than 64 KB of headers$/],
    [
      "N22 100 KB of headers",
      `${head}${"X-Filler: 0123456789\r\n".repeat(5000)}\r\n`,
      "closed-in-response",
      /sent more than 64 KB of headers$/,
    ],
    ["N23 garbage", "\u0000\u0001\u0002garbage\r\n\r\n", "closed-in-response", /is no answer that could be read/],
    ["N23 another protocol", "SSH-2.0-OpenSSH_9.6\r\n", "closed-in-response", /is no answer that could be read/],
    ["N23 a status that is none", "HTTP/1.1 2x0 OK\r\n\r\n", "closed-in-response", /is no answer that could be read/],
    ["a control character in a header", `${head}X-Bad: a\u0001b\r\n\r\n`, "closed-in-response", /is no answer that could be read/],
    ["a header without a colon", `${head}X-Bad\r\n\r\n`, "closed-in-response", /is no answer that could be read/],
    [
      "N24 an endless row of hints",
      "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n".repeat(3),
      "closed-before-response",
      /could not be reached/,
    ],
    ["100 Continue that nobody waits for", "HTTP/1.1 100 Continue\r\n\r\n", "closed-before-response", /could not be reached/],
  ])("%s is a 502", async (_, bytes, fault, message) => {
    await using upstream = await startRawUpstream(async (connection) => {
      await connection.request();
      connection.socket.end(Buffer.from(bytes, "latin1"));
    });
    await expect(ask(pools, upstream.origin)).rejects.toMatchObject({ status: 502, fault, message: expect.stringMatching(message) });
    await upstream.connections[0]?.closed;
    expect(pools.figures()).toMatchObject([{ connections: 0, inFlight: 0 }]);
  });

  it.each<[string, string]>([
    ["N23 a chunk size that overflows", `${chunked}4\r\nhalf\r\n${"f".repeat(40)}\r\n`],
    ["N23 a chunk size that is none", `${chunked}4\r\nhalf\r\nzz\r\n`],
    ["a chunk longer than it says", `${chunked}4\r\nhalf and more\r\n`],
    ["F10 more bytes than its length, with garbage for the next answer", `${head}Content-Length: 4\r\n\r\nhalf\u0000\u0000`],
  ])("%s gives what came before", async (_, bytes) => {
    await using upstream = await startRawUpstream(async (connection) => {
      await connection.request();
      connection.write(bytes);
    });
    const { body } = await ask(pools, upstream.origin);
    let got = "";
    let failure: unknown;
    try {
      for await (const chunk of body) got += Buffer.from(chunk).toString();
    } catch (error) {
      failure = error;
    }
    expect(got).toBe("half");
    if (bytes.startsWith(chunked)) expect(failure).toMatchObject({ status: 502, fault: "closed-in-response" });
    else expect(failure).toBeUndefined();
    await upstream.connections[0]?.closed;
  });

  it.each<[string, string]>([
    ["fewer bytes than its length", `${head}Content-Length: 9\r\n\r\nhalf`],
    ["no last chunk", `${chunked}4\r\nhalf\r\n`],
  ])("F10 %s, and an end: gives what came and fails", async (_, bytes) => {
    await using upstream = await startRawUpstream(async (connection) => {
      await connection.request();
      connection.socket.end(bytes);
    });
    const { body } = await ask(pools, upstream.origin);
    expect(Buffer.from((await body.next()).value ?? "").toString()).toBe("half");
    await expect(body.next()).rejects.toMatchObject({
      status: 502,
      fault: "closed-in-response",
      message: expect.stringContaining("broke off in the middle of its answer"),
    });
  });

  it("N24 hints before its answer are passed over, N25 trailers behind it dropped", async () => {
    await using upstream = await startRawUpstream(async (connection) => {
      await connection.request();
      connection.write("HTTP/1.1 103 Early Hints\r\nLink: </x>\r\nX-Hint: 1\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n");
      connection.write(`${head}Trailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-Sum: 1\r\nX-Request-Id: 9\r\n\r\n`);
    });
    const response = await ask(pools, upstream.origin);
    expect([response.status, response.headers, await text(response)]).toEqual([200, [], "ok"]);
  });

  it("40 KB of headers are read", async () => {
    await using upstream = await startRawUpstream(async (connection) => {
      await connection.request();
      connection.write(`${head}X-Long: ${"x".repeat(40_000)}\r\nContent-Length: 0\r\n\r\n`);
    });
    expect((await ask(pools, upstream.origin)).headers[0]?.[1]).toHaveLength(40_000);
  });

  it("bytes above ASCII in headers stay what they are", async () => {
    await using upstream = await startRawUpstream(async (connection) => {
      await connection.request();
      connection.write(`${head}X-Latin: caf\u00e9\u00ff\r\nContent-Length: 0\r\n\r\n`);
    });
    expect((await ask(pools, upstream.origin)).headers).toContainEqual(["x-latin", "caf\u00e9\u00ff"]);
  });

  it("a second answer to one request is nobody's", async () => {
    await using upstream = await startRawUpstream(async (connection) => {
      await connection.request();
      connection.write(`${head}Content-Length: 2\r\n\r\nok`);
      if (connection.index === 0) connection.write(`${head}Content-Length: 5\r\n\r\nwrong`);
    });
    expect(await text(await ask(pools, upstream.origin))).toBe("ok");
    expect(await text(await ask(pools, upstream.origin))).toBe("ok");
    expect(upstream.connections).toHaveLength(2);
  });
});

describe("a request that cannot be written", () => {
  it("is a failure, and leaves nothing behind", async () => {
    await using upstream = await startRawUpstream();
    await expect(ask(pools, upstream.origin, { headers: [["bad", "line\nbreak"]] })).rejects.toMatchObject({ status: 502 });
    expect(pools.figures()).toMatchObject([{ connections: 0, inFlight: 0, waiting: 0 }]);
  });
});

describe("a compressed answer", () => {
  it("N20 comes event by event", async () => {
    const compressor = createGzip();
    await using upstream = await startRawUpstream(async (connection) => {
      await connection.request();
      connection.write(`${head}Content-Type: text/event-stream\r\nContent-Encoding: gzip\r\n\r\n`);
      compressor.on("data", (chunk: Buffer) => connection.socket.write(chunk));
    });
    const response = await ask(pools, upstream.origin);
    const events = decode(response.body, "gzip")[Symbol.asyncIterator]();
    for (const event of ["data: 1\n\n", "data: 2\n\n"]) {
      compressor.write(event);
      compressor.flush(constants.Z_SYNC_FLUSH, () => undefined);
      expect(Buffer.from((await events.next()).value ?? "").toString()).toBe(event);
    }
    await events.return?.();
    await upstream.connections[0]?.closed;
  });

  it("N21 that makes a thousand times its size is given up, and its upstream left", async () => {
    const bomb = gzipSync(Buffer.alloc(64 * 1024 * 1024));
    await using upstream = await startRawUpstream(async (connection) => {
      await connection.request();
      connection.write(`${head}Content-Encoding: gzip\r\nContent-Length: ${bomb.length + 1}\r\n\r\n`);
      connection.socket.write(bomb);
    });
    const response = await ask(pools, upstream.origin);
    let produced = 0;
    await expect(
      (async () => {
        for await (const chunk of decode(response.body, "gzip")) produced += chunk.length;
      })(),
    ).rejects.toMatchObject({
      status: 502,
      fault: "too-much",
      message: expect.stringMatching(/^The upstream's compressed answer was given up: 0\.\d MB of it made 32\.\d MB\.$/),
    });
    expect(produced).toBeLessThanOrEqual(32 * 1024 * 1024);
    await upstream.connections[0]?.closed;
  });

  it("that repeats itself, but is no longer than an answer may be, is read to its end", async () => {
    const event = `event: content_block_delta\ndata: {"delta":{"type":"text_delta","text":" the"}}\n\n`;
    const stream = gzipSync(event.repeat(200_000));
    expect((event.length * 200_000) / stream.length).toBeGreaterThan(200);
    await using upstream = await startRawUpstream(async (connection) => {
      await connection.request();
      connection.write(`${head}Content-Encoding: gzip\r\nContent-Length: ${stream.length}\r\n\r\n`);
      connection.socket.write(stream);
    });
    let produced = 0;
    for await (const chunk of decode((await ask(pools, upstream.origin)).body, "gzip")) produced += chunk.length;
    expect(produced).toBe(event.length * 200_000);
  });
});
