import { once } from "node:events";
import { createServer, request as httpRequest, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { connect, type AddressInfo, type Socket } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { ClientGone, collectBody } from "../../../core/body/collect.ts";
import { ProxyError } from "../../../sdk/errors.ts";

const limits = { maxBytes: 100_000 };
const servers: Server[] = [];

afterEach(() => {
  for (const server of servers.splice(0)) server.close().closeAllConnections();
});

/** What came of collecting one body. */
type Outcome = { readonly body: Buffer } | { readonly error: unknown };

interface Listener {
  readonly port: number;
  /** Settles when the first body was collected or refused. */
  readonly outcome: Promise<Outcome>;
}

/** A server that collects the body of each request and lets `answer` do the rest. */
async function listen(
  answer: (outcome: Outcome, request: IncomingMessage, response: ServerResponse) => void = (_, __, response) => void response.end("ok"),
  collect: (request: IncomingMessage) => Promise<Buffer> = (request) => collectBody(request, limits),
): Promise<Listener> {
  const first = Promise.withResolvers<Outcome>();
  const server = createServer((request, response) => {
    const settle = (outcome: Outcome): void => {
      first.resolve(outcome);
      answer(outcome, request, response);
    };
    collect(request).then(
      (body) => settle({ body }),
      (error: unknown) => settle({ error }),
    );
  });
  servers.push(server);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return { port: (server.address() as AddressInfo).port, outcome: first.promise };
}

async function dial(port: number, head: string): Promise<Socket> {
  const socket = connect(port, "127.0.0.1");
  socket.on("error", () => {});
  await once(socket, "connect");
  socket.write(`POST / HTTP/1.1\r\nHost: x\r\n${head}\r\n\r\n`);
  return socket;
}

/** Writes one piece, and waits until the kernel has it. */
const write = (socket: Socket, data: Buffer | string): Promise<void> => new Promise((resolve) => void socket.write(data, () => resolve()));

function errorOf(outcome: Outcome): unknown {
  return "error" in outcome ? outcome.error : undefined;
}

function bodyOf(outcome: Outcome): Buffer {
  if ("error" in outcome) throw outcome.error;
  return outcome.body;
}

describe("a whole body", () => {
  it.each([0, 1, 1000, 100_000])("of %d declared bytes arrives as it was sent", async (size) => {
    const sent = Buffer.alloc(size, "abcdefg");
    const { port, outcome } = await listen();
    const socket = await dial(port, `Content-Length: ${size}`);
    socket.write(sent);
    expect(bodyOf(await outcome).equals(sent)).toBe(true);
    socket.destroy();
  });

  it("arrives in order when it comes in many pieces", async () => {
    const { port, outcome } = await listen();
    const socket = await dial(port, "Content-Length: 5000");
    const sent = Buffer.from(Array.from({ length: 5000 }, (_, at) => at % 251));
    for (let at = 0; at < sent.length; at += 700) await write(socket, sent.subarray(at, at + 700));
    expect(bodyOf(await outcome).equals(sent)).toBe(true);
    socket.destroy();
  });

  it("arrives when it is chunked", async () => {
    const { port, outcome } = await listen();
    const socket = await dial(port, "Transfer-Encoding: chunked");
    for (const piece of ["5\r\nhello\r\n", "1\r\n", " \r\n", "5\r\nworld\r\n", "0\r\n\r\n"]) await write(socket, piece);
    expect(bodyOf(await outcome).toString()).toBe("hello world");
    socket.destroy();
  });

  it("is empty when the request has none", async () => {
    const { port, outcome } = await listen();
    const socket = connect(port, "127.0.0.1");
    socket.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    expect(bodyOf(await outcome)).toHaveLength(0);
    socket.destroy();
  });

  it("arrives when it is larger than what is set aside up front", async () => {
    const size = 9 * 1024 * 1024;
    const collected = Promise.withResolvers<Buffer>();
    const server = createServer((request, response) => {
      collectBody(request, { maxBytes: size }).then(collected.resolve, collected.reject);
      request.on("end", () => response.end());
    });
    servers.push(server);
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const sent = Buffer.alloc(size, "0123456789");
    const client = httpRequest({ port: (server.address() as AddressInfo).port, method: "POST", headers: { "content-length": size } });
    client.end(sent);
    await once(client, "response");
    expect((await collected.promise).equals(sent)).toBe(true);
  });
});

describe("a body over the limit", () => {
  it("is refused before a byte of it was read when its length is declared", async () => {
    const { port, outcome } = await listen((_, __, response) => void response.writeHead(413).end());
    const socket = await dial(port, "Content-Length: 100001");
    const error = errorOf(await outcome);
    expect(error).toBeInstanceOf(ProxyError);
    expect(error).toMatchObject({
      status: 413,
      kind: "request_too_large",
      message: "The request body is too large: found 100001 bytes, the limit is 100000 bytes.",
    });
    const [answer] = await once(socket, "data");
    expect(String(answer)).toContain("413");
    socket.destroy();
  });

  it("is refused while it comes when its length is not declared, and the rest is left unread", async () => {
    const { port, outcome } = await listen((_, request, response) => {
      expect(request.isPaused()).toBe(true);
      expect(request.destroyed).toBe(false);
      expect(request.listenerCount("data")).toBe(0);
      response.writeHead(413).end("too large");
    });
    const socket = await dial(port, "Transfer-Encoding: chunked");
    const piece = `2000\r\n${"x".repeat(0x2000)}\r\n`;
    // A body without an end: only the limit can end the wait.
    for (let sent = 0; sent < 13; sent++) socket.write(piece);
    expect(errorOf(await outcome)).toMatchObject({
      status: 413,
      message: "The request body is too large: found more than 100000 bytes, the limit is 100000 bytes.",
    });
    const [answer] = await once(socket, "data");
    expect(String(answer)).toContain("413");
    socket.destroy();
  });

  it("that flows by after the refusal lets the client read the answer and use the connection again", async () => {
    const { port } = await listen((outcome, request, response) => {
      request.resume();
      if ("error" in outcome) response.writeHead(413).end();
      else response.end();
    });
    const socket = await dial(port, "Content-Length: 3000000");
    const received: string[] = [];
    socket.on("data", (data: Buffer) => received.push(data.toString()));
    await write(socket, Buffer.alloc(3_000_000));
    socket.write("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}");
    await once(socket, "close");
    expect(received.join("").match(/HTTP\/1\.1 \d+/g)).toEqual(["HTTP/1.1 413", "HTTP/1.1 200"]);
  });

  it("a client that resets after the refusal does no harm", async () => {
    const closed = Promise.withResolvers<void>();
    const { port, outcome } = await listen((_, request) => void request.on("close", () => closed.resolve()));
    const socket = await dial(port, "Transfer-Encoding: chunked");
    socket.write(`20000\r\n${"x".repeat(0x20000)}\r\n`);
    expect(errorOf(await outcome)).toBeInstanceOf(ProxyError);
    socket.resetAndDestroy();
    await closed.promise;
  });
});

describe("a client that leaves", () => {
  it.each([
    ["closes", (socket: Socket) => void socket.destroy()],
    ["resets", (socket: Socket) => void socket.resetAndDestroy()],
    ["ends its side", (socket: Socket) => void socket.end()],
  ])("and %s in the middle of a declared body is told apart", async (_, leave) => {
    const seen = Promise.withResolvers<void>();
    const { port, outcome } = await listen(undefined, (request) => {
      const body = collectBody(request, limits);
      request.once("data", () => seen.resolve());
      return body;
    });
    const socket = await dial(port, "Content-Length: 10");
    await write(socket, "12345");
    await seen.promise;
    leave(socket);
    const error = errorOf(await outcome);
    expect(error).toBeInstanceOf(ClientGone);
    expect(String(error)).toBe("ClientGone: The client closed the connection after 5 of 10 body bytes.");
  });

  it("in the middle of a chunked body is told apart", async () => {
    const { port, outcome } = await listen();
    const socket = await dial(port, "Transfer-Encoding: chunked");
    await write(socket, "5\r\nhello\r\n3\r\nab");
    socket.destroy();
    expect(errorOf(await outcome)).toBeInstanceOf(ClientGone);
  });

  it("before anyone asked for the body is told apart", async () => {
    const { port, outcome } = await listen(undefined, async (request) => {
      await new Promise((resolve) => void request.on("close", resolve));
      return collectBody(request, limits);
    });
    const socket = await dial(port, "Content-Length: 10");
    socket.destroy();
    expect(errorOf(await outcome)).toBeInstanceOf(ClientGone);
  });
});
