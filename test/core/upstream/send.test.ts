import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { Pools } from "../../../core/upstream/pools.ts";
import { send, type UpstreamRequest, type UpstreamResponse } from "../../../core/upstream/send.ts";
import { ProxyError } from "../../../sdk/errors.ts";
import { startBlackHole } from "../../helpers/black-hole.ts";

const open: { close(): unknown }[] = [];

afterEach(async () => {
  await Promise.all(open.splice(0).map((each) => each.close()));
});

interface Scripted {
  readonly origin: string;
  /** The first connection. */
  readonly socket: Promise<Socket>;
  /** Resolves when it is closed. */
  readonly closed: Promise<void>;
}

/** A server that writes these bytes, whatever is asked; undefined: nothing. */
async function scripted(answer: string | undefined, then: "close" | "reset" | "stay" = "stay"): Promise<Scripted> {
  const first = Promise.withResolvers<Socket>();
  const closed = Promise.withResolvers<void>();
  const sockets: Socket[] = [];
  const server: Server = createServer((socket) => {
    sockets.push(socket);
    socket.on("error", () => undefined);
    socket.once("close", () => closed.resolve());
    socket.once("data", () => {
      first.resolve(socket);
      const finish = (): unknown => (then === "close" ? socket.end() : then === "reset" ? socket.resetAndDestroy() : undefined);
      if (answer === undefined) finish();
      else socket.write(Buffer.from(answer, "latin1"), finish);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  open.push({
    close: () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  });
  return { origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, socket: first.promise, closed: closed.promise };
}

function request(origin: string, overrides: Partial<UpstreamRequest> = {}): Promise<UpstreamResponse> {
  const pools = new Pools();
  open.push(pools);
  const timeouts = { connectMs: 5000, headersMs: 60_000, idleMs: 60_000, ...overrides.timeouts };
  return send(pools.get(origin), {
    method: "POST",
    path: "/v1/messages",
    headers: [["content-type", "application/json"]],
    body: Buffer.from("{}"),
    signal: new AbortController().signal,
    origin,
    ...overrides,
    timeouts,
  });
}

async function text(response: UpstreamResponse): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of response.body) chunks.push(chunk);
  return Buffer.concat(chunks).toString("latin1");
}

const head = "HTTP/1.1 200 OK\r\n";
const failing = (status: number, message: string | RegExp): unknown =>
  expect.objectContaining({ name: "ProxyError", status, message: expect.stringMatching(message) });

describe("an answer", () => {
  it("comes with its status, its end-to-end headers in order and its bytes", async () => {
    const headers =
      "Content-Type: application/json\r\nX-One: 1\r\nConnection: keep-alive, x-hop\r\nX-Hop: h\r\nX-One: 2\r\nKeep-Alive: timeout=5\r\n";
    const { origin } = await scripted(`HTTP/1.1 418 Odd\r\n${headers}X-Latin: \xe9\r\nContent-Length: 4\r\n\r\nbody`);
    const response = await request(origin);
    expect([response.status, response.headers, await text(response)]).toEqual([
      418,
      [
        ["content-type", "application/json"],
        ["x-one", "1"],
        ["x-one", "2"],
        ["x-latin", "é"],
        ["content-length", "4"],
      ],
      "body",
    ]);
  });

  it("is not the early hints before it", async () => {
    const { origin } = await scripted(
      `HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n${head}Content-Length: 2\r\n\r\nok`,
    );
    const response = await request(origin);
    expect([response.status, response.headers, await text(response)]).toEqual([200, [["content-length", "2"]], "ok"]);
  });

  it("loses its trailers", async () => {
    const { origin } = await scripted(`${head}Trailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-Sum: 1\r\n\r\n`);
    const response = await request(origin);
    expect([response.headers, await text(response)]).toEqual([[], "ok"]);
  });

  it("without a length ends with its connection", async () => {
    const { origin } = await scripted(`${head}\r\nall there is`, "close");
    expect(await text(await request(origin))).toBe("all there is");
  });
});

describe("an answer that is none", () => {
  it.each<[string, string | undefined, "close" | "reset", string | RegExp]>([
    ["a connection closed at once", undefined, "close", /could not be reached.*closed/],
    ["a connection reset at once", undefined, "reset", /could not be reached/],
    ["something that is not HTTP", "SSH-2.0-OpenSSH_9.6\r\n", "close", /is no answer that could be read/],
    ["half a head", "HTTP/1.1 200 OK\r\nContent-Ty", "close", /could not be reached/],
    ["100 KB of headers", `${head}${`X-Filler: ${"x".repeat(1000)}\r\n`.repeat(100)}\r\n`, "close", /sent more than 64 KB of headers/],
    [
      "an upgrade nobody asked for",
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
      "close",
      /could not be/,
    ],
    ["two lengths that differ", `${head}Content-Length: 1\r\nContent-Length: 2\r\n\r\nab`, "close", /is no answer that could be read/],
  ])("%s is a 502", async (_, bytes, then, message) => {
    const { origin } = await scripted(bytes, then);
    await expect(request(origin)).rejects.toEqual(failing(502, message));
  });

  it("nobody listening is a 502 that says so", async () => {
    const { origin } = await scripted("");
    await open.splice(0)[0]?.close();
    await expect(request(origin)).rejects.toEqual(failing(502, "ECONNREFUSED"));
  });

  it("a host without a name is a 502", async () => {
    await expect(request("http://nowhere.invalid:80")).rejects.toEqual(failing(502, /could not be reached \(/));
  });

  it("a request that cannot be written is a 502, not a crash", async () => {
    const { origin } = await scripted(head);
    await expect(request(origin, { headers: [["bad", "line\nbreak"]] })).rejects.toEqual(failing(502, /could not be reached/));
  });
});

describe("an answer that breaks off", () => {
  it.each<[string, string, "close" | "reset"]>([
    ["shorter than its length", `${head}Content-Length: 9\r\n\r\nhalf`, "close"],
    ["reset", `${head}Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n`, "reset"],
    ["closed before its last chunk", `${head}Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n`, "close"],
    ["with garbage for a chunk size", `${head}Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\nzz\r\n`, "close"],
  ])("%s gives what came, then fails with 502", async (_, bytes, then) => {
    const { origin, socket } = await scripted(bytes, "stay");
    const { body } = await request(origin);
    expect(Buffer.from((await body.next()).value ?? "").toString()).toBe("half");
    const waiting = body.next();
    if (then === "close") (await socket).end();
    else (await socket).resetAndDestroy();
    await expect(waiting).rejects.toEqual(failing(502, "broke off in the middle of its answer"));
  });
});

describe("a time limit", () => {
  it("for connecting is told as a 504 that names it", async () => {
    await using hole = await startBlackHole();
    const timeouts = { connectMs: 50, headersMs: 60_000, idleMs: 60_000 };
    await expect(request(hole.url, { timeouts })).rejects.toEqual(failing(504, "could not be reached within 0.05 s"));
  });

  it("for the headers is told as a 504 that names it", async () => {
    const { origin, closed } = await scripted("HTTP/1.1 200 OK\r\n");
    const timeouts = { connectMs: 5000, headersMs: 50, idleMs: 60_000 };
    await expect(request(origin, { timeouts })).rejects.toEqual(failing(504, "did not begin to answer within 0.05 s"));
    await closed;
  });

  it("for a silence within the body is told as a 504 that names it", async () => {
    const { origin, closed } = await scripted(`${head}Content-Length: 9\r\n\r\nhalf`);
    const { body } = await request(origin, { timeouts: { connectMs: 5000, headersMs: 60_000, idleMs: 50 } });
    await body.next();
    await expect(body.next()).rejects.toEqual(failing(504, "sent nothing for 0.05 s in the middle of its answer"));
    await closed;
  });
});

describe("an abort", () => {
  const reason = new Error("the client left");

  it("before the start sends nothing", async () => {
    await expect(request("http://127.0.0.1:9", { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  });

  it("while connecting is told at once", async () => {
    await using hole = await startBlackHole();
    const abort = new AbortController();
    const timeouts = { connectMs: 600_000, headersMs: 600_000, idleMs: 600_000 };
    const response = request(hole.url, { signal: abort.signal, timeouts });
    setImmediate(() => abort.abort(reason));
    await expect(response).rejects.toBe(reason);
  });

  it("before the headers closes the connection", async () => {
    const { origin, socket, closed } = await scripted(undefined);
    const abort = new AbortController();
    const response = request(origin, { signal: abort.signal });
    await socket;
    abort.abort(reason);
    await expect(response).rejects.toBe(reason);
    await closed;
  });

  it("within the body closes the connection and fails the reader with its reason", async () => {
    const { origin, socket, closed } = await scripted(`${head}Content-Length: 9\r\n\r\nhalf`);
    const abort = new AbortController();
    const { body } = await request(origin, { signal: abort.signal });
    await body.next();
    await socket;
    const waiting = body.next();
    abort.abort(reason);
    await expect(waiting).rejects.toBe(reason);
    await closed;
  });

  it("of a reader that waits for room closes the connection too", async () => {
    const { origin, socket, closed } = await scripted(`${head}Content-Length: 9999999\r\n\r\n${"x".repeat(500_000)}`);
    const abort = new AbortController();
    const { body } = await request(origin, { signal: abort.signal });
    await body.next();
    await socket;
    abort.abort(reason);
    await closed;
    await expect(
      (async () => {
        for await (const chunk of body) void chunk;
      })(),
    ).rejects.toBe(reason);
  });

  it("after the end changes nothing", async () => {
    const { origin } = await scripted(`${head}Content-Length: 2\r\n\r\nok`);
    const abort = new AbortController();
    const response = await request(origin, { signal: abort.signal });
    expect(await text(response)).toBe("ok");
    abort.abort(reason);
    expect(await response.body.next()).toEqual({ done: true, value: undefined });
  });

  it("is a failure of nobody: a ProxyError as reason stays what it is", async () => {
    const { origin, socket } = await scripted(undefined);
    const abort = new AbortController();
    const response = request(origin, { signal: abort.signal });
    await socket;
    const stopping = new ProxyError("stopping", { status: 503, kind: "api_error" });
    abort.abort(stopping);
    await expect(response).rejects.toBe(stopping);
  });
});
