import { once } from "node:events";
import { networkInterfaces } from "node:os";

import Koa from "koa";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";

import { listen, type Listener } from "../../../core/listen.ts";
import { createGate, type GatePolicy } from "../../../core/stages/gate.ts";
import { ProxyError } from "../../../sdk/errors.ts";
import { parseResponses, type RawResponse, requestRaw, requestText, sendRaw } from "../../helpers/raw-http.ts";

let listener: Listener;
let port = 0;
let policy: GatePolicy;
let passed: { method: string; url: string; path: string; run: unknown }[] = [];

/** Behind the gate stands an application that notes what got through. */
async function start(host: string): Promise<Listener> {
  const app = new Koa();
  app.use(async (ctx, next) => {
    try {
      await next();
    } catch (error) {
      if (!(error instanceof ProxyError)) throw error;
      ctx.status = error.status;
      ctx.body = error.message;
    }
  });
  app.use(createGate(() => policy));
  app.use((ctx) => {
    passed.push({ method: ctx.method, url: ctx.url, path: ctx.path, run: ctx.state.run });
    ctx.body = "passed";
  });
  return listen(app.callback(), host, 0);
}

async function stop({ server }: Listener): Promise<void> {
  server.close();
  server.closeAllConnections();
  await once(server, "close");
}

beforeAll(async () => {
  listener = await start("127.0.0.1");
  port = listener.port;
});
afterAll(() => stop(listener));
beforeEach(() => {
  policy = { allowedHosts: [], acceptLocalAddress: false };
  passed = [];
});

function ask(target: string, headers: readonly string[] = [], method = "GET"): Promise<RawResponse> {
  return requestRaw(port, requestText(port, target, { headers, method }));
}

describe("the request target", () => {
  test.each([
    "/",
    "/v1/messages",
    "/v1/messages?beta=true",
    "/v1/files/file_1/content",
    "/v1/a.b/..c/.d/e..",
    "/v1/messages?next=//x/../y%2f%00",
  ])("%s passes as it is", async (target) => {
    expect((await ask(target)).status).toBe(200);
    expect(passed).toEqual([
      { method: "GET", url: target, path: target.split("?", 1)[0], run: { localToken: undefined, project: undefined } },
    ]);
  });

  test.each([
    ["an absolute URL", () => `http://127.0.0.1:${port}/v1/messages`],
    ["an absolute URL of another host", () => "http://evil.example/v1/messages"],
    ["an absolute URL with another scheme", () => "https://api.anthropic.com/v1/messages"],
    ["two slashes at the beginning", () => "//evil.example/v1/messages"],
    ["two slashes in the middle", () => "/v1//messages"],
    ["two slashes at the end", () => "/v1/messages//"],
    ["a parent segment", () => "/v1/../ccproxy/status"],
    ["a parent segment at the end", () => "/v1/messages/.."],
    ["a dot segment", () => "/v1/./messages"],
    ["an encoded parent segment", () => "/v1/%2e%2e/ccproxy/status"],
    ["a half encoded parent segment", () => "/v1/.%2E/ccproxy/status"],
    ["an encoded slash", () => "/v1%2fmessages"],
    ["an encoded slash in upper case", () => "/v1%2Fmessages"],
    ["a backslash", () => "/v1\\messages"],
    ["an encoded backslash", () => "/v1%5cmessages"],
    ["an encoded NUL", () => "/v1/messages%00.json"],
    ["a fragment", () => "/v1/messages#x"],
    ["a fragment behind the query", () => "/v1/messages?a=b#x"],
    ["a byte above ASCII, which some parsers take for a space", () => "/v1/messages\u00a0"],
    ["a byte above ASCII in the query", () => "/v1/messages?\u00e9"],
    ["a tab", () => "/v1/messages\t"],
  ])("%s is refused", async (_what, target) => {
    expect((await ask(target())).status).toBe(400);
    expect(passed).toEqual([]);
  });

  test("a raw NUL is refused before anything is routed", async () => {
    expect((await ask("/v1/\0messages")).status).toBe(400);
    expect(passed).toEqual([]);
  });
});

describe("the run prefix", () => {
  test("is taken off and its parts are kept", async () => {
    await ask("/_run/token-1/hash-1/v1/messages?beta=true");
    expect(passed).toEqual([
      { method: "GET", url: "/v1/messages?beta=true", path: "/v1/messages", run: { localToken: "token-1", project: "hash-1" } },
    ]);
  });

  test("a dash stands for nothing", async () => {
    await ask("/_run/-/-/v1/messages");
    expect(passed[0]?.run).toEqual({ localToken: undefined, project: undefined });
  });

  test.each([
    ["/_run/-/-", "/"],
    ["/_run/-/-?a=b", "/?a=b"],
  ])("%s leads to %s", async (target, url) => {
    await ask(target);
    expect(passed[0]?.url).toBe(url);
  });

  test("is taken off once only", async () => {
    await ask("/_run/-/-/_run/token/-/v1/messages");
    expect(passed).toEqual([
      {
        method: "GET",
        url: "/_run/token/-/v1/messages",
        path: "/_run/token/-/v1/messages",
        run: { localToken: undefined, project: undefined },
      },
    ]);
  });

  test.each(["/_run/token", "/_run", "/_run/", "/x/_run/a/b/v1/messages", "/_runs/a/b/v1/messages", "/_RUN/a/b/v1/messages"])(
    "%s holds none",
    async (target) => {
      await ask(target);
      expect(passed[0]).toMatchObject({ url: target, run: { localToken: undefined, project: undefined } });
    },
  );

  test.each([
    "/_run/../ccproxy/status",
    "/_run/a/../v1/messages",
    "/_run/-/-//evil.example/v1/messages",
    "/_run/-/-/../../ccproxy/status",
    "/_run/-/-/%2e%2e/ccproxy/status",
    "/_run/-/-/v1%2fmessages",
    "/_run/%2e%2e/-/v1/messages",
    "/_run//-/v1/messages",
    "/_run/a\\b/-/v1/messages",
    "/_run/-/-/v1/messages#x",
  ])("hides nothing from the check of the target: %s", async (target) => {
    expect((await ask(target)).status).toBe(400);
    expect(passed).toEqual([]);
  });

  test("does not excuse from the checks of Host and Origin", async () => {
    expect((await ask("/_run/-/-/v1/messages", ["Host: evil.example"])).status).toBe(421);
    expect((await ask("/_run/-/-/v1/messages", ["Origin: https://evil.example"])).status).toBe(403);
  });
});

describe("the host", () => {
  test.each(["127.0.0.1", "localhost", "LOCALHOST", "LocalHost", "[::1]"])("%s with our own port passes", async (name) => {
    expect((await ask("/", [`Host: ${name}:${port}`])).status).toBe(200);
  });

  test.each([
    ["another name", () => `evil.example:${port}`],
    ["a name that ends like ours", () => `evil-localhost:${port}`],
    ["a name that begins like ours", () => `localhost.evil.example:${port}`],
    ["a name that begins like our address", () => `127.0.0.1.evil.example:${port}`],
    ["a trailing dot", () => `localhost.:${port}`],
    ["a trailing dot behind the address", () => `127.0.0.1.:${port}`],
    ["another port", () => `127.0.0.1:${port === 65535 ? 1 : port + 1}`],
    ["no port, which is port 80", () => "127.0.0.1"],
    ["an empty port", () => "127.0.0.1:"],
    ["a port with more digits", () => `127.0.0.1:0000${port}`],
    ["a port that is no number", () => "127.0.0.1:http"],
    ["a path", () => `127.0.0.1:${port}/`],
    ["a query", () => "evil.example/?"],
    ["a fragment", () => `127.0.0.1:${port}#@evil.example`],
    ["user information", () => `127.0.0.1:${port}@evil.example`],
    ["ours as user information", () => `localhost@evil.example:${port}`],
    ["ours behind user information", () => `evil.example@127.0.0.1:${port}`],
    ["a scheme", () => `http://127.0.0.1:${port}`],
    ["two names", () => `127.0.0.1:${port}, evil.example`],
    ["two names apart by a space", () => `127.0.0.1:${port} evil.example`],
    ["a short spelling of the address", () => `127.1:${port}`],
    ["the address as one number", () => `2130706433:${port}`],
    ["the address in octal", () => `0177.0.0.1:${port}`],
    ["the address of every interface", () => `0.0.0.0:${port}`],
    ["an address of IPv6 without brackets", () => `::1:${port}`],
    ["the longer spelling of ::1", () => `[0:0:0:0:0:0:0:1]:${port}`],
    ["the mapped address", () => `[::ffff:127.0.0.1]:${port}`],
    ["an address with a zone", () => `[::1%25lo]:${port}`],
    ["the unspecified address", () => `[::]:${port}`],
    ["a bracket that is not closed", () => `[::1:${port}`],
    ["a percent sign", () => `localhos%74:${port}`],
    ["letters that only look like ours", () => `localh\u00f6st:${port}`],
    ["nothing", () => ""],
  ])("%s is misdirected", async (_what, host) => {
    expect((await ask("/", [`Host: ${host()}`])).status).toBe(421);
    expect(passed).toEqual([]);
  });

  test("a second Host is refused, even the same", async () => {
    expect((await ask("/", [`Host: 127.0.0.1:${port}`, `Host: 127.0.0.1:${port}`])).status).toBe(421);
    expect((await ask("/", [`Host: 127.0.0.1:${port}`, "Host: evil.example"])).status).toBe(421);
    expect((await ask("/", ["Host: evil.example", `hOST: 127.0.0.1:${port}`])).status).toBe(421);
    expect(passed).toEqual([]);
  });

  test("HTTP/1.0 without a Host is misdirected, HTTP/1.1 is malformed", async () => {
    expect((await requestRaw(port, "GET / HTTP/1.0\r\n\r\n")).status).toBe(421);
    expect((await requestRaw(port, "GET / HTTP/1.1\r\nConnection: close\r\n\r\n")).status).toBe(400);
    expect(passed).toEqual([]);
  });

  test("an absolute target does not stand in for the Host", async () => {
    const text = `GET http://127.0.0.1:${port}/ HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n`;
    expect((await requestRaw(port, text)).status).toBe(400);
    expect(passed).toEqual([]);
  });

  test("X-Forwarded-Host and Forwarded are not believed", async () => {
    const forwarded = [`X-Forwarded-Host: 127.0.0.1:${port}`, `Forwarded: host="127.0.0.1:${port}"`, `X-Host: 127.0.0.1:${port}`];
    expect((await ask("/", ["Host: evil.example", ...forwarded])).status).toBe(421);
  });

  test("a configured name passes on any port, another that contains it does not", async () => {
    policy = { allowedHosts: ["proxy.example"], acceptLocalAddress: false };
    expect((await ask("/", ["Host: proxy.example"])).status).toBe(200);
    expect((await ask("/", ["Host: PROXY.example:8443"])).status).toBe(200);
    expect((await ask("/", ["Host: proxy.example.evil.example"])).status).toBe(421);
    expect((await ask("/", ["Host: evil-proxy.example"])).status).toBe(421);
  });

  test("the refusal shows the name without control characters, and not at any length", async () => {
    const { body } = await ask("/", [`Host: evil\u00e9${"x".repeat(5000)}`]);
    expect(body).toContain("evil?xxx");
    expect(body.length).toBeLessThan(400);
  });

  test("another loopback address that we were bound to passes by its own name", async () => {
    const other = await start("127.0.0.2");
    try {
      const text = (host: string): string => requestText(other.port, "/", { headers: [`Host: ${host}:${other.port}`] });
      expect((await requestRaw(other.port, text("127.0.0.2"), "127.0.0.2")).status).toBe(200);
      expect((await requestRaw(other.port, text("127.0.0.3"), "127.0.0.2")).status).toBe(421);
    } finally {
      await stop(other);
    }
  });

  test("beyond loopback the address itself passes, and only where a key is asked for", async () => {
    const address = Object.values(networkInterfaces())
      .flat()
      .find((candidate) => candidate?.family === "IPv4" && !candidate.internal)?.address;
    const open = await start("0.0.0.0");
    try {
      const reached = address ?? "127.0.0.5";
      const text = (host: string, at = open.port): string => requestText(open.port, "/", { headers: [`Host: ${host}:${at}`] });
      policy = { allowedHosts: [], acceptLocalAddress: true };
      expect((await requestRaw(open.port, text(reached), reached)).status).toBe(200);
      expect((await requestRaw(open.port, text(reached, 1), reached)).status).toBe(421);
      expect((await requestRaw(open.port, text("10.9.8.7"), reached)).status).toBe(421);
      if (address !== undefined) {
        policy = { allowedHosts: [], acceptLocalAddress: false };
        expect((await requestRaw(open.port, text(address), address)).status).toBe(421);
      }
    } finally {
      await stop(open);
    }
  });
});

describe("web pages", () => {
  test.each([
    ["an opaque origin", "null"],
    ["a foreign origin", "https://evil.example"],
    ["a page of another local server", "http://127.0.0.1:1"],
    ["our host over TLS", "https://127.0.0.1:PORT"],
    ["our host under its other name", "http://localhost:PORT"],
    ["our host and more", "http://127.0.0.1:PORT.evil.example"],
    ["our host with a path", "http://127.0.0.1:PORT/"],
    ["a browser extension", "chrome-extension://abcdefgh"],
    ["a file", "file://"],
    ["nothing", ""],
  ])("%s is refused: Origin %s", async (_what, origin) => {
    const response = await ask("/v1/messages", [`Origin: ${origin.replace("PORT", String(port))}`], "POST");
    expect(response.status).toBe(403);
    expect(passed).toEqual([]);
  });

  test("the same origin passes", async () => {
    expect((await ask("/", [`Origin: http://127.0.0.1:${port}`])).status).toBe(200);
  });

  test("a second Origin does not hide a foreign one", async () => {
    const own = `Origin: http://127.0.0.1:${port}`;
    expect((await ask("/", [own, "Origin: https://evil.example"])).status).toBe(403);
    expect((await ask("/", ["Origin: https://evil.example", own])).status).toBe(403);
  });

  test.each(["cross-site", "same-site", "CROSS-SITE", "unknown", "none, cross-site", ""])("Sec-Fetch-Site %j is refused", async (site) => {
    expect((await ask("/", [`Sec-Fetch-Site: ${site}`])).status).toBe(403);
    expect(passed).toEqual([]);
  });

  test.each(["same-origin", "none"])("Sec-Fetch-Site %s passes", async (site) => {
    expect((await ask("/", [`Sec-Fetch-Site: ${site}`])).status).toBe(200);
  });

  test("a second Sec-Fetch-Site does not hide the first", async () => {
    expect((await ask("/", ["Sec-Fetch-Site: none", "Sec-Fetch-Site: cross-site"])).status).toBe(403);
  });

  test("every preflight is refused without permission of any kind, Private-Network too", async () => {
    const headers = [
      `Origin: http://127.0.0.1:${port}`,
      "Access-Control-Request-Method: POST",
      "Access-Control-Request-Headers: content-type",
      "Access-Control-Request-Private-Network: true",
      "Access-Control-Request-Local-Network: true",
    ];
    const response = await ask("/v1/messages", headers, "OPTIONS");
    expect(response.status).toBe(403);
    expect(Object.keys(response.headers).filter((name) => name.startsWith("access-control-"))).toEqual([]);
    expect((await ask("/v1/messages", [], "OPTIONS")).status).toBe(403);
    expect(passed).toEqual([]);
  });
});

describe("methods", () => {
  test("TRACE is refused", async () => {
    expect((await ask("/", [], "TRACE")).status).toBe(405);
    expect(passed).toEqual([]);
  });

  test("CONNECT opens no tunnel", async () => {
    const text = await sendRaw(port, `CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example:443\r\n\r\n`);
    expect(text).not.toContain(" 200 ");
    expect(passed).toEqual([]);
  });

  test("a word that is no method is malformed", async () => {
    expect((await ask("/", [], "STEAL")).status).toBe(400);
    expect(passed).toEqual([]);
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
    expect(passed).toEqual([]);
  });

  test.each([
    ["everywhere", () => `POST / HTTP/1.1\nHost: 127.0.0.1:${port}\nContent-Length: 0\n\n`],
    ["behind the request line", () => `GET / HTTP/1.1\nHost: 127.0.0.1:${port}\r\n\r\n`],
    ["between headers", () => `GET / HTTP/1.1\r\nHost: 127.0.0.1:${port}\nX: y\r\n\r\n`],
    ["at the end of the headers", () => `GET / HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n\n`],
  ])("line feeds alone are refused %s", async (_where, text) => {
    expect((await requestRaw(port, text())).status).toBe(400);
    expect(passed).toEqual([]);
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
    expect(passed.map(({ path }) => path)).not.toContain("/smuggled");
  });

  test("what follows a refused request on its connection is not served", async () => {
    const refused = `POST / HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n`;
    await sendRaw(port, refused + requestText(port, "/smuggled"));
    expect(passed).toEqual([]);
  });

  test("a GET may carry a body, which is not taken for the next request", async () => {
    const inner = requestText(port, "/smuggled");
    const outer = `GET /outer HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nContent-Length: ${inner.length}\r\n\r\n${inner}`;
    await sendRaw(port, outer + requestText(port, "/next"));
    expect(passed.map(({ path }) => path)).toEqual(["/outer", "/next"]);
  });

  test("pipelined requests are each checked, and answered in order", async () => {
    const first = `GET /first HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n\r\n`;
    const second = `GET /second HTTP/1.1\r\nHost: evil.example\r\n\r\n`;
    const text = await sendRaw(port, first + second + requestText(port, "/third"));
    expect(parseResponses(text).map(({ status }) => status)).toEqual([200, 421, 200]);
    expect(passed.map(({ path }) => path)).toEqual(["/first", "/third"]);
  });

  test("Expect: 100-continue is answered, another expectation is not met", async () => {
    const text = await sendRaw(port, requestText(port, "/", { method: "POST", headers: ["Expect: 100-continue"], body: "hello" }));
    expect(text.startsWith("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK")).toBe(true);
    expect((await ask("/", ["Expect: the-unexpected"])).status).toBe(417);
  });
});
