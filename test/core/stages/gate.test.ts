import { networkInterfaces } from "node:os";

import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";

import { type GuardedServer, startGuardedServer } from "../../helpers/guarded-server.ts";
import { requestRaw, requestText } from "../../helpers/raw-http.ts";

let guarded: GuardedServer;
let port = 0;

beforeAll(async () => {
  guarded = await startGuardedServer();
  port = guarded.port;
});
afterAll(() => guarded[Symbol.asyncDispose]());
beforeEach(() => guarded.reset());

const ask: GuardedServer["ask"] = (target, headers, method) => guarded.ask(target, headers, method);

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
    expect(guarded.passed).toEqual([
      { method: "GET", url: target, path: target.split("?", 1)[0], run: { localToken: undefined, project: undefined } },
    ]);
  });

  test.each([
    ["an absolute URL", () => `http://127.0.0.1:${port}/v1/messages`],
    ["an absolute URL of another host", () => "http://evil.example/v1/messages"],
    ["an absolute URL with another scheme", () => "https://api.anthropic.com/v1/messages"],
    ["an asterisk", () => "*"],
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
    expect(guarded.passed).toEqual([]);
  });

  test("a raw NUL is refused before anything is routed", async () => {
    expect((await ask("/v1/\0messages")).status).toBe(400);
    expect(guarded.passed).toEqual([]);
  });
});

describe("the run prefix", () => {
  test("is taken off and its parts are kept", async () => {
    await ask("/_run/token-1/hash-1/v1/messages?beta=true");
    expect(guarded.passed).toEqual([
      { method: "GET", url: "/v1/messages?beta=true", path: "/v1/messages", run: { localToken: "token-1", project: "hash-1" } },
    ]);
  });

  test("a dash stands for nothing", async () => {
    await ask("/_run/-/-/v1/messages");
    expect(guarded.passed[0]?.run).toEqual({ localToken: undefined, project: undefined });
  });

  test.each([
    ["/_run/-/-", "/"],
    ["/_run/-/-?a=b", "/?a=b"],
  ])("%s leads to %s", async (target, url) => {
    await ask(target);
    expect(guarded.passed[0]?.url).toBe(url);
  });

  test("is taken off once only", async () => {
    await ask("/_run/-/-/_run/token/-/v1/messages");
    expect(guarded.passed).toEqual([
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
      expect(guarded.passed[0]).toMatchObject({ url: target, run: { localToken: undefined, project: undefined } });
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
    expect(guarded.passed).toEqual([]);
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
    expect(guarded.passed).toEqual([]);
  });

  test("a second Host is refused, even the same", async () => {
    expect((await ask("/", [`Host: 127.0.0.1:${port}`, `Host: 127.0.0.1:${port}`])).status).toBe(421);
    expect((await ask("/", [`Host: 127.0.0.1:${port}`, "Host: evil.example"])).status).toBe(421);
    expect((await ask("/", ["Host: evil.example", `hOST: 127.0.0.1:${port}`])).status).toBe(421);
    expect(guarded.passed).toEqual([]);
  });

  test("HTTP/1.0 without a Host is misdirected, HTTP/1.1 is malformed", async () => {
    expect((await requestRaw(port, "GET / HTTP/1.0\r\n\r\n")).status).toBe(421);
    expect((await requestRaw(port, "GET / HTTP/1.1\r\nConnection: close\r\n\r\n")).status).toBe(400);
    expect(guarded.passed).toEqual([]);
  });

  test("an absolute target does not stand in for the Host", async () => {
    const text = `GET http://127.0.0.1:${port}/ HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n`;
    expect((await requestRaw(port, text)).status).toBe(400);
    expect(guarded.passed).toEqual([]);
  });

  test("X-Forwarded-Host and Forwarded are not believed", async () => {
    const forwarded = [`X-Forwarded-Host: 127.0.0.1:${port}`, `Forwarded: host="127.0.0.1:${port}"`, `X-Host: 127.0.0.1:${port}`];
    expect((await ask("/", ["Host: evil.example", ...forwarded])).status).toBe(421);
  });

  test("a configured name passes on any port, another that contains it does not", async () => {
    guarded.setPolicy({ allowedHosts: ["proxy.example"], acceptLocalAddress: false });
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
    await using other = await startGuardedServer("127.0.0.2");
    const text = (host: string): string => requestText(other.port, "/", { headers: [`Host: ${host}:${other.port}`] });
    expect((await requestRaw(other.port, text("127.0.0.2"), "127.0.0.2")).status).toBe(200);
    expect((await requestRaw(other.port, text("127.0.0.3"), "127.0.0.2")).status).toBe(421);
  });

  test("beyond loopback the address itself passes, and only where a key is asked for", async () => {
    const address = Object.values(networkInterfaces())
      .flat()
      .find((candidate) => candidate?.family === "IPv4" && !candidate.internal)?.address;
    await using open = await startGuardedServer("0.0.0.0");
    const reached = address ?? "127.0.0.5";
    const text = (host: string, at = open.port): string => requestText(open.port, "/", { headers: [`Host: ${host}:${at}`] });
    open.setPolicy({ allowedHosts: [], acceptLocalAddress: true });
    expect((await requestRaw(open.port, text(reached), reached)).status).toBe(200);
    expect((await requestRaw(open.port, text(reached, 1), reached)).status).toBe(421);
    expect((await requestRaw(open.port, text("10.9.8.7"), reached)).status).toBe(421);
    if (address === undefined) return;
    open.setPolicy({ allowedHosts: [], acceptLocalAddress: false });
    expect((await requestRaw(open.port, text(address), address)).status).toBe(421);
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
    expect(guarded.passed).toEqual([]);
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
    expect(guarded.passed).toEqual([]);
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
    expect(guarded.passed).toEqual([]);
  });
});
