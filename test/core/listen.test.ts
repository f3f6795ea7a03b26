import { once } from "node:events";
import type { RequestListener } from "node:http";
import { createServer as createTcpServer } from "node:net";

import { describe, expect, test } from "vitest";

import { ListenError, type Listener, isLoopback, listen } from "../../core/listen.ts";
import { parseResponses, requestRaw, requestText, sendRaw } from "../helpers/raw-http.ts";

const hello: RequestListener = (_request, response) => void response.end("hello");

async function listening(
  handler: RequestListener = hello,
  host = "127.0.0.1",
  onError: (error: Error) => void = () => undefined,
): Promise<Listener & AsyncDisposable> {
  const listener = await listen(handler, { host, port: 0, onError });
  return {
    ...listener,
    async [Symbol.asyncDispose]() {
      listener.server.close();
      listener.server.closeAllConnections();
      await once(listener.server, "close");
    },
  };
}

async function failure(host: string, port: number): Promise<ListenError> {
  const error: unknown = await listen(hello, { host, port, onError: () => undefined }).catch((reason: unknown) => reason);
  if (error instanceof ListenError) return error;
  throw new Error(`not refused: ${String(error)}`);
}

describe("loopback", () => {
  test.each(["127.0.0.1", "127.0.0.2", "127.255.255.254", "localhost", "::1"])("%s is", (host) => {
    expect(isLoopback(host)).toBe(true);
  });

  test.each([
    "0.0.0.0",
    "::",
    "",
    "*",
    "192.168.1.5",
    "10.0.0.1",
    "169.254.1.1",
    "fe80::1",
    "128.0.0.1",
    "127.0.0.1.evil.example",
    "evil-localhost",
    "localhost.evil.example",
    "127.0.0",
    "127.0.0.1 ",
    "0127.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:0.0.0.0",
    "0:0:0:0:0:0:0:0",
    "127.0.0.1\n0.0.0.0",
  ])("%j is not", (host) => {
    expect(isLoopback(host)).toBe(false);
  });
});

describe("the listener", () => {
  test("takes a free port and says where it is", async () => {
    await using listener = await listening();
    expect(listener.url).toBe(`http://127.0.0.1:${listener.port}`);
    expect((await requestRaw(listener.port, requestText(listener.port, "/"))).body).toBe("hello");
  });

  test("of every interface is reached by loopback", async () => {
    await using listener = await listening(hello, "0.0.0.0");
    expect(listener.url).toBe(`http://127.0.0.1:${listener.port}`);
  });

  test("says which port is taken, and what to do", async () => {
    const other = createTcpServer().listen(0, "127.0.0.1");
    await once(other, "listening");
    const address = other.address();
    const port = typeof address === "object" ? (address?.port ?? 0) : 0;
    const error = await failure("127.0.0.1", port);
    expect(error.code).toBe("EADDRINUSE");
    expect(error.message).toMatch(new RegExp(`port ${port} .*in use.*--port`));
    other.close();
  });

  test("says that an address is not this machine's", async () => {
    expect((await failure("192.0.2.1", 0)).message).toContain("no address of this machine");
  });

  test("goes on when accepting a connection fails, as it does when file descriptors run out", async () => {
    const told: string[] = [];
    await using listener = await listening(hello, "127.0.0.1", (error) => told.push(error.message));
    for (let times = 0; times < 3; times++) listener.server.emit("error", new Error("accept EMFILE"));
    expect((await requestRaw(listener.port, requestText(listener.port, "/"))).status).toBe(200);
    expect(told).toEqual(Array.from({ length: 3 }, () => "accept EMFILE"));
  });
});

describe("what the parser refuses", () => {
  const envelope = (body: string): unknown => JSON.parse(body);

  test("headers up to 64 KiB pass, beyond it they are too large", async () => {
    await using listener = await listening();
    const filled = (bytes: number): string => requestText(listener.port, "/", { headers: [`X-Fill: ${"x".repeat(bytes)}`] });
    expect((await requestRaw(listener.port, filled(60_000))).status).toBe(200);
    const response = await requestRaw(listener.port, filled(70_000));
    expect(response.status).toBe(431);
    expect(envelope(response.body)).toMatchObject({ type: "error", error: { type: "invalid_request_error" } });
    expect(response.headers["connection"]).toBe("close");
    const many = requestText(listener.port, "/", { headers: Array.from({ length: 7000 }, (_, index) => `x-${index}: ${index}`) });
    expect((await requestRaw(listener.port, many)).status).toBe(431);
  });

  test("a target of more than 64 KiB is too large", async () => {
    await using listener = await listening();
    expect((await requestRaw(listener.port, requestText(listener.port, `/${"x".repeat(70_000)}`))).status).toBe(431);
  });

  test.each([
    ["no HTTP at all", "hello\r\n\r\n"],
    ["a TLS handshake", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"],
    ["the preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"],
    ["another version", "GET / HTTP/9.9\r\nHost: x\r\n\r\n"],
  ])("%s is answered 400 in the common envelope, and the connection ends", async (_what, bytes) => {
    await using listener = await listening();
    const response = await requestRaw(listener.port, bytes);
    expect(response.status).toBe(400);
    expect(envelope(response.body)).toMatchObject({ type: "error", error: { type: "invalid_request_error" } });
  });

  test("behind a request whose answer is on its way, is not answered in the middle of that answer", async () => {
    const { promise: broken, resolve: onBroken } = Promise.withResolvers<void>();
    await using listener = await listening((_request, response) => {
      response.write("first half, ");
      void broken.then(() => response.end("second half"));
    });
    listener.server.on("clientError", () => onBroken());
    const text = await sendRaw(listener.port, `GET / HTTP/1.1\r\nHost: x\r\n\r\nthis is no request\r\n\r\n`);
    // Whatever of the answer came, nothing was put into it.
    expect(text).not.toContain("HTTP/1.1 400");
    expect(text).not.toContain("second half");
  });

  test("behind a request whose answer has not begun, is not taken for that answer", async () => {
    const { promise: broken, resolve: onBroken } = Promise.withResolvers<void>();
    await using listener = await listening((_request, response) => void broken.then(() => response.end("late")));
    listener.server.on("clientError", () => onBroken());
    expect(await sendRaw(listener.port, `GET / HTTP/1.1\r\nHost: x\r\n\r\nthis is no request\r\n\r\n`)).not.toContain("400");
  });

  test("in the body of a request that nobody answered yet, is answered", async () => {
    await using listener = await listening((request) => void request.resume());
    const bytes = `POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nno chunk\r\n`;
    expect((await requestRaw(listener.port, bytes)).status).toBe(400);
  });

  test("behind a request that was answered, is answered in its turn", async () => {
    await using listener = await listening();
    const text = await sendRaw(listener.port, `GET / HTTP/1.1\r\nHost: x\r\n\r\n`.concat("nonsense\r\n\r\n"));
    const statuses = parseResponses(text).map(({ status }) => status);
    expect(statuses[0]).toBe(200);
    expect(statuses.length).toBeLessThanOrEqual(2);
  });
});
