import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";

import { type GuardedServer, startGuardedServer } from "../../helpers/guarded-server.ts";
import { parseResponses, requestRaw, requestText, sendRaw } from "../../helpers/raw-http.ts";

let guarded: GuardedServer;
let port = 0;

beforeAll(async () => {
  guarded = await startGuardedServer();
  port = guarded.port;
});
afterAll(() => guarded[Symbol.asyncDispose]());
beforeEach(() => guarded.reset());

const ask: GuardedServer["ask"] = (target, headers, method) => guarded.ask(target, headers, method);

describe("methods", () => {
  test("TRACE is refused", async () => {
    expect((await ask("/", [], "TRACE")).status).toBe(405);
    expect(guarded.passed).toEqual([]);
  });

  test("CONNECT opens no tunnel", async () => {
    const text = await sendRaw(port, `CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example:443\r\n\r\n`);
    expect(text).not.toContain(" 200 ");
    expect(guarded.passed).toEqual([]);
  });

  test("a word that is no method is malformed", async () => {
    expect((await ask("/", [], "STEAL")).status).toBe(400);
    expect(guarded.passed).toEqual([]);
  });

  test("HEAD passes and has no body", async () => {
    const response = await ask("/", [], "HEAD");
    expect(response).toMatchObject({ status: 200, body: "" });
  });

  test("a wish to upgrade is not granted", async () => {
    const headers = [
      "Upgrade: websocket",
      "Connection: Upgrade, close",
      "Sec-WebSocket-Version: 13",
      "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
    ];
    const response = await ask("/", headers);
    expect(response.status).not.toBe(101);
    expect(response.headers["upgrade"]).toBeUndefined();
  });
});

describe("framing", () => {
  const body = "0\r\n\r\n";

  test.each([
    ["a length beside chunked", ["Transfer-Encoding: chunked", "Content-Length: 5"]],
    ["chunked beside a length", ["Content-Length: 5", "Transfer-Encoding: chunked"]],
    ["an unknown coding", ["Transfer-Encoding: xchunked"]],
    ["a coding before chunked", ["Transfer-Encoding: gzip, chunked"]],
    ["a coding behind chunked", ["Transfer-Encoding: chunked, gzip"]],
    ["chunked twice", ["Transfer-Encoding: chunked", "Transfer-Encoding: chunked"]],
    ["chunked twice in one line", ["Transfer-Encoding: chunked, chunked"]],
    ["identity", ["Transfer-Encoding: identity"]],
    ["a coding with a vertical tab", ["Transfer-Encoding: \x0bchunked"]],
    ["a coding in quotes", ['Transfer-Encoding: "chunked"']],
    ["a space before the colon", ["Transfer-Encoding : chunked"]],
    ["two lengths", ["Content-Length: 5", "Content-Length: 6"]],
    ["the same length twice", ["Content-Length: 5", "Content-Length: 5"]],
    ["two lengths in one line", ["Content-Length: 5, 6"]],
    ["the same length twice in one line", ["Content-Length: 5, 5"]],
    ["a length with a sign", ["Content-Length: +5"]],
    ["a length below zero", ["Content-Length: -5"]],
    ["a length in hexadecimal", ["Content-Length: 0x5"]],
    ["a length beyond measure", ["Content-Length: 99999999999999999999999"]],
    ["a folded header", ["Content-Length: 5", "X-Folded: a\r\n b"]],
    ["a folded coding", ["Transfer-Encoding:\r\n chunked"]],
    ["a header without a colon", ["Content-Length: 5", "garbage"]],
    ["a header without a name", ["Content-Length: 5", ": value"]],
    ["a control character in a value", ["Content-Length: 5", "X-Control: a\x01b"]],
    ["a bare carriage return in a value", ["Content-Length: 5", "X-Control: a\rb"]],
    ["a NUL in a value", ["Content-Length: 5", "X-Control: a\0b"]],
  ])("%s is refused", async (_what, headers) => {
    const text = await sendRaw(port, requestText(port, "/v1/messages", { method: "POST", headers, body }));
    expect(parseResponses(text).map(({ status }) => status)).toEqual([400]);
    expect(guarded.passed).toEqual([]);
  });

  test.each([
    ["everywhere", () => `POST / HTTP/1.1\nHost: 127.0.0.1:${port}\nContent-Length: 0\n\n`],
    ["behind the request line", () => `GET / HTTP/1.1\nHost: 127.0.0.1:${port}\r\n\r\n`],
    ["between headers", () => `GET / HTTP/1.1\r\nHost: 127.0.0.1:${port}\nX: y\r\n\r\n`],
    ["at the end of the headers", () => `GET / HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n\n`],
  ])("line feeds alone are refused %s", async (_where, text) => {
    expect((await requestRaw(port, text())).status).toBe(400);
    expect(guarded.passed).toEqual([]);
  });

  test.each([
    "5;ext=\nx\r\nhello\r\n0\r\n\r\n",
    "5\nhello\r\n0\r\n\r\n",
    "0x5\r\nhello\r\n0\r\n\r\n",
    "-5\r\nhello\r\n0\r\n\r\n",
    "zz\r\n",
  ])("a chunk that is no chunk ends the connection: %j", async (chunks) => {
    const text = requestText(port, "/", { method: "POST", headers: ["Transfer-Encoding: chunked"], body: chunks });
    const smuggled = requestText(port, "/smuggled");
    await sendRaw(port, text + smuggled);
    expect(guarded.passed.map(({ path }) => path)).not.toContain("/smuggled");
  });

  test("what follows a refused request on its connection is not served", async () => {
    const refused = `POST / HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n`;
    await sendRaw(port, refused + requestText(port, "/smuggled"));
    expect(guarded.passed).toEqual([]);
  });

  test("a GET may carry a body, which is not taken for the next request", async () => {
    const inner = requestText(port, "/smuggled");
    const outer = `GET /outer HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nContent-Length: ${inner.length}\r\n\r\n${inner}`;
    await sendRaw(port, outer + requestText(port, "/next"));
    expect(guarded.passed.map(({ path }) => path)).toEqual(["/outer", "/next"]);
  });

  test("pipelined requests are each checked, and answered in order", async () => {
    const first = `GET /first HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n\r\n`;
    const second = `GET /second HTTP/1.1\r\nHost: evil.example\r\n\r\n`;
    const text = await sendRaw(port, first + second + requestText(port, "/third"));
    expect(parseResponses(text).map(({ status }) => status)).toEqual([200, 421, 200]);
    expect(guarded.passed.map(({ path }) => path)).toEqual(["/first", "/third"]);
  });

  test("Expect: 100-continue is answered, another expectation is not met", async () => {
    const text = await sendRaw(port, requestText(port, "/", { method: "POST", headers: ["Expect: 100-continue"], body: "hello" }));
    expect(text.startsWith("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK")).toBe(true);
    expect((await ask("/", ["Expect: the-unexpected"])).status).toBe(417);
  });
});
