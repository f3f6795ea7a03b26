import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { type Http2SecureServer, type ServerHttp2Session, type ServerHttp2Stream, constants, createSecureServer } from "node:http2";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import type { ConnectionSource } from "../../../core/upstream/connection-settings.ts";
import { Pools } from "../../../core/upstream/pools.ts";
import { selfSigned } from "../../helpers/self-signed.ts";
import { ask, namesHere, settled, sourceOf, text } from "./asking.ts";

const certificate = selfSigned("api.test");
let directory: string;
let source: ConnectionSource;
beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), "ccproxy-"));
  const caFile = path.join(directory, "ca.pem");
  await writeFile(caFile, certificate.cert);
  source = sourceOf({ caFile, http2: true });
});
afterAll(() => rm(directory, { recursive: true }));

const pools = new Pools(namesHere());
const servers: Http2SecureServer[] = [];
const sessions: ServerHttp2Session[] = [];
afterEach(async () => {
  await pools.close();
  for (const session of sessions.splice(0)) session.destroy();
  for (const server of servers.splice(0)) server.close();
});

/** @param serve called for each stream, with the count of those before it */
async function start(serve: (stream: ServerHttp2Stream, index: number) => void, allowHTTP1 = false): Promise<string> {
  const server = createSecureServer({ ...certificate, allowHTTP1 }, (request, response) => {
    if (request.httpVersion === "1.1") response.end("HTTP/1.1");
  });
  let count = 0;
  server.on("session", (session) => {
    sessions.push(session);
    session.on("error", () => undefined);
  });
  server.on("stream", (stream) => {
    stream.on("error", () => undefined);
    // The request in full, so that what is left unread is no reason to reset it.
    stream.resume();
    serve(stream, count++);
  });
  server.listen(0, "127.0.0.1");
  servers.push(server);
  await once(server, "listening");
  return `https://api.test:${(server.address() as AddressInfo).port}`;
}

const okay = (stream: ServerHttp2Stream): void => {
  stream.respond({ ":status": 200, "x-one": "1" });
  stream.end("ok");
};

describe("HTTP/2", () => {
  it("is spoken where it is configured, one request at a time on each connection", async () => {
    const goAhead = Promise.withResolvers<void>();
    const bodies: string[] = [];
    const origin = await start((stream, index) => {
      stream.on("data", (chunk: Buffer) => bodies.push(chunk.toString()));
      if (index > 1) okay(stream);
      else void goAhead.promise.then(() => okay(stream));
    });
    const both = [ask(pools, origin, { source }), ask(pools, origin, { source })];
    await vi.waitFor(() => expect(sessions).toHaveLength(2));
    goAhead.resolve();
    for (const asked of both) {
      const response = await asked;
      expect([response.status, response.headers.find(([name]) => name === "x-one"), await text(response)]).toEqual([
        200,
        ["x-one", "1"],
        "ok",
      ]);
    }
    await settled();
    await text(await ask(pools, origin, { source }));
    expect(sessions).toHaveLength(2);
    expect(bodies).toEqual(["{}", "{}", "{}"]);
  });

  it("is not offered otherwise, and not needed where the host does not speak it", async () => {
    const origin = await start(okay, true);
    const plain = sourceOf({ ...source.connections, http2: false });
    expect(await text(await ask(pools, origin, { source: plain }))).toBe("HTTP/1.1");
    expect(await text(await ask(pools, origin, { source }))).toBe("ok");
  });

  it("F11: a stream that is refused was not looked at, and is sent again on another connection", async () => {
    const origin = await start((stream, index) => (index === 0 ? stream.close(constants.NGHTTP2_REFUSED_STREAM) : okay(stream)));
    const onSentAgain = vi.fn();
    expect(await text(await ask(pools, origin, { source, onSentAgain }))).toBe("ok");
    expect(onSentAgain).toHaveBeenCalledTimes(1);
    expect(sessions).toHaveLength(2);
  });

  it("F11: a stream that is refused twice is a failure", async () => {
    const origin = await start((stream) => stream.close(constants.NGHTTP2_REFUSED_STREAM));
    const onSentAgain = vi.fn();
    await expect(ask(pools, origin, { source, onSentAgain })).rejects.toMatchObject({ status: 502, fault: "closed-before-response" });
    expect(onSentAgain).toHaveBeenCalledTimes(1);
    expect(sessions).toHaveLength(2);
  });

  it("N19: a stream that ends with another code before its answer is a failure", async () => {
    const origin = await start((stream) => stream.close(constants.NGHTTP2_INTERNAL_ERROR));
    const onSentAgain = vi.fn();
    await expect(ask(pools, origin, { source, onSentAgain })).rejects.toMatchObject({ status: 502, fault: "closed-before-response" });
    expect(onSentAgain).not.toHaveBeenCalled();
  });

  it.each<[string, (stream: ServerHttp2Stream) => void]>([
    // `close` would end the answer properly first.
    ["a code", (stream) => stream.destroy(new Error("INTERNAL_ERROR"))],
    ["CANCEL", (stream) => stream.destroy(new DOMException("CANCEL", "AbortError"))],
    ["the connection's end", (stream) => stream.session?.destroy()],
    // A graceful one leaves running streams alone; undici does not, which is why HTTP/2 has to be asked for.
    ["a graceful GOAWAY", (stream) => stream.session?.goaway(constants.NGHTTP2_NO_ERROR)],
    ["GOAWAY with a code", (stream) => stream.session?.goaway(constants.NGHTTP2_INTERNAL_ERROR)],
  ])("N19: an answer that is broken off by %s fails after what came, and is not asked for again", async (_, breakOff) => {
    const streams: ServerHttp2Stream[] = [];
    const origin = await start((stream) => {
      streams.push(stream);
      stream.respond({ ":status": 200, "content-type": "text/event-stream" });
      stream.write("half");
    });
    const { body } = await ask(pools, origin, { source });
    expect(Buffer.from((await body.next()).value ?? "").toString()).toBe("half");
    const [stream] = streams;
    if (stream !== undefined) breakOff(stream);
    await expect(body.next()).rejects.toMatchObject({ status: 502, fault: "closed-in-response" });
    await settled();
    expect(streams).toHaveLength(1);
  });

  it("N26: a client that leaves ends its stream", async () => {
    const closed = Promise.withResolvers<void>();
    const origin = await start((stream) => {
      stream.once("close", closed.resolve);
      stream.respond({ ":status": 200 });
      stream.write("half");
    });
    const abort = new AbortController();
    const { body } = await ask(pools, origin, { source, signal: abort.signal });
    await body.next();
    const reason = new Error("the client left");
    const waiting = body.next();
    abort.abort(reason);
    await expect(waiting).rejects.toBe(reason);
    await closed.promise;
  });
});
