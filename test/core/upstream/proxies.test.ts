import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { Pools } from "../../../core/upstream/pools.ts";
import { nameOf, proxyFor } from "../../../core/upstream/proxies.ts";
import { okay, type RawConnection, startRawUpstream } from "../../helpers/raw-upstream.ts";
import { selfSigned } from "../../helpers/self-signed.ts";
import { ask, namesHere, settled, sourceOf, text } from "./asking.ts";
import { startForwardProxy } from "./forward-proxy.ts";

const certificate = selfSigned("api.test", "proxy.test");
let directory: string;
let caFile: string;
beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), "ccproxy-"));
  caFile = path.join(directory, "ca.pem");
  await writeFile(caFile, certificate.cert);
});
afterAll(() => rm(directory, { recursive: true }));

const pools = new Pools(namesHere());
afterEach(() => pools.close());

async function answering(connection: RawConnection): Promise<void> {
  for (;;) {
    await connection.request();
    connection.write(okay);
  }
}

function chosen(url: string, variables: Readonly<Record<string, string>>): string {
  const proxy = proxyFor(new URL(url), (name) => variables[name]);
  return proxy === undefined ? "direct" : nameOf(proxy);
}

describe("the proxy for a host", () => {
  const http = "http://a.test:8080";
  const https = "http://b.test:8080";
  it.each<[string, string, Record<string, string>, string]>([
    ["none without variables", "https://x.test", {}, "direct"],
    ["HTTPS_PROXY for https", "https://x.test", { HTTPS_PROXY: https, HTTP_PROXY: http }, https],
    ["HTTP_PROXY for http", "http://x.test", { HTTPS_PROXY: https, HTTP_PROXY: http }, http],
    ["not HTTP_PROXY for https", "https://x.test", { HTTP_PROXY: http }, "direct"],
    ["not HTTPS_PROXY for http", "http://x.test", { HTTPS_PROXY: https }, "direct"],
    ["ALL_PROXY for either", "http://x.test", { HTTPS_PROXY: https, ALL_PROXY: http }, http],
    ["the narrower before ALL_PROXY", "https://x.test", { HTTPS_PROXY: https, ALL_PROXY: http }, https],
    ["small letters first", "https://x.test", { HTTPS_PROXY: http, https_proxy: https }, https],
    ["small letters for http, too", "http://x.test", { http_proxy: http }, http],
    ["an empty variable is none", "https://x.test", { https_proxy: "", HTTPS_PROXY: https, ALL_PROXY: "  " }, https],
    ["without a scheme it is http", "https://x.test", { HTTPS_PROXY: "b.test:3128" }, "http://b.test:3128"],
    ["without a port it is that of its scheme", "https://x.test", { HTTPS_PROXY: "https://b.test" }, "https://b.test:443"],
    ["credentials are not its name", "https://x.test", { HTTPS_PROXY: "http://u:p@b.test:1" }, "http://b.test:1"],
    ["IPv6 keeps its brackets", "https://x.test", { HTTPS_PROXY: "http://[fd00::1]:1" }, "http://[fd00::1]:1"],
  ])("%s", (_, url, variables, wanted) => {
    expect(chosen(url, variables)).toBe(wanted);
  });

  it.each([
    "http://localhost:11434",
    "https://LOCALHOST",
    "http://ollama.localhost:1",
    "http://127.0.0.1:1",
    "http://127.9.9.9:1",
    "http://[::1]:1",
  ])("is none for this machine: %s", (url) => {
    expect(chosen(url, { ALL_PROXY: http, NO_PROXY: "" })).toBe("direct");
  });

  it.each<[string, string]>([
    ["socks5://p.test:1080", "ALL_PROXY names a proxy of the kind socks5://, which is not supported; wanted http:// or https://"],
    ["http://user:secret@", "ALL_PROXY is set, but names no proxy"],
    ["::::secret", "ALL_PROXY is set, but names no proxy"],
  ])("%s is told to be of no use, without its value", (value, message) => {
    const choose = (): unknown => proxyFor(new URL("https://x.test"), (name) => ({ ALL_PROXY: value })[name]);
    expect(choose).toThrow(message);
    expect(choose).toThrow(expect.objectContaining({ name: "ProxyError", status: 502, fault: "unreachable" }));
    expect(choose).not.toThrow("secret");
  });
});

describe("NO_PROXY", () => {
  it.each<[string, string, boolean]>([
    ["*", "https://x.test", true],
    ["a.test, *", "https://x.test", true],
    ["x.test", "https://x.test", true],
    ["X.Test", "https://x.test", true],
    ["x.test", "https://api.x.test", true],
    ["x.test", "https://notx.test", false],
    ["x.test", "https://x.test.evil.test", false],
    [".x.test", "https://api.x.test", true],
    [".x.test", "https://x.test", true],
    ["*.x.test", "https://api.x.test", true],
    ["*.x.test", "https://notx.test", false],
    ["x.test.", "https://x.test", true],
    ["x.test", "https://x.test.", true],
    ["a.test,x.test", "https://x.test", true],
    ["a.test x.test", "https://x.test", true],
    [" , a.test ,, x.test , ", "https://x.test", true],
    ["x.test:8443", "https://x.test:8443", true],
    ["x.test:8443", "https://x.test", false],
    ["x.test:443", "https://x.test", true],
    ["x.test:80", "http://x.test", true],
    ["10.0.0.1", "http://10.0.0.1:8000", true],
    ["10.0.0.1", "http://10.0.0.10:8000", false],
    ["0.0.1", "http://10.0.0.1:8000", false],
    ["10.0.0.0/8", "http://10.200.0.1:8000", true],
    ["10.0.0.0/8", "http://11.0.0.1:8000", false],
    ["10.0.0.0/99", "http://10.0.0.1:8000", false],
    ["10.0.0.0/", "http://10.0.0.1:8000", false],
    ["10.0.0.0/8", "https://x.test", false],
    ["fd00::1", "http://[fd00::1]:8000", true],
    ["[fd00::1]", "http://[fd00::1]:8000", true],
    ["[fd00::1]:8000", "http://[fd00::1]:8000", true],
    ["[fd00::1]:8001", "http://[fd00::1]:8000", false],
    ["FD00:0::1", "http://[fd00::1]:8000", true],
    ["fd00::/16", "http://[fd00:1::1]:8000", true],
    ["fd00::/16", "http://[fd01::1]:8000", false],
    ["", "https://x.test", false],
    [".", "https://x.test", false],
    ["[", "https://x.test", false],
  ])("%j for %s: direct %s", (noProxy, url, isDirect) => {
    const proxy = "http://p.test:1";
    expect(chosen(url, { ALL_PROXY: proxy, NO_PROXY: noProxy })).toBe(isDirect ? "direct" : proxy);
    expect(chosen(url, { ALL_PROXY: proxy, no_proxy: noProxy })).toBe(isDirect ? "direct" : proxy);
  });
});

describe("through a proxy", () => {
  it.each([
    ["http", "me:p%40ss", "me:p@ss"],
    ["https", "me", "me:"],
    // A sign that was not encoded is taken as it stands.
    ["http", "me:100%", "me:100%"],
  ] as const)("an http upstream is asked in a tunnel, by a proxy of the scheme %s, as %s", async (scheme, user, sent) => {
    await using upstream = await startRawUpstream(answering);
    await using proxy = await startForwardProxy({ to: upstream.port, ...(scheme === "https" ? { tls: certificate } : {}) });
    const source = sourceOf({ caFile }, { ALL_PROXY: `${scheme}://${user}@proxy.test:${proxy.port}` });
    for (let count = 0; count < 2; count++) {
      expect(await text(await ask(pools, "http://api.test:8123", { source }))).toBe("ok");
      await settled();
    }
    expect(proxy.asked).toEqual([["api.test:8123", `Basic ${btoa(sent)}`]]);
    expect(upstream.connections).toHaveLength(1);
    expect(upstream.connections[0]?.received()).toMatch(/^POST \/v1\/messages HTTP\/1\.1\r\nhost: api\.test:8123\r\n/);
    expect(upstream.connections[0]?.received()).not.toMatch(/proxy/i);
    expect(pools.figures()).toEqual([
      { origin: "http://api.test:8123", proxy: `${scheme}://proxy.test:${proxy.port}`, connections: 1, inFlight: 0, waiting: 0 },
    ]);
  });

  it.each(["http", "https"] as const)("an https upstream proves who it is, through a proxy of the scheme %s", async (scheme) => {
    await using upstream = await startRawUpstream(answering, { tls: certificate });
    await using proxy = await startForwardProxy({ to: upstream.port, ...(scheme === "https" ? { tls: certificate } : {}) });
    const source = sourceOf({ caFile }, { HTTPS_PROXY: `${scheme}://proxy.test:${proxy.port}` });
    expect(await text(await ask(pools, "https://api.test", { source }))).toBe("ok");
    expect(proxy.asked).toEqual([["api.test:443", undefined]]);
    await expect(ask(pools, "https://other.test", { source })).rejects.toMatchObject({
      status: 502,
      fault: "unreachable",
      message: expect.stringMatching(/^https:\/\/other\.test could not be reached through the proxy .*certificate is for other names/),
    });
  });

  it.each<[string, string, RegExp]>([
    [
      "HTTP/1.1 407 Proxy Authentication Required\r\n\r\n",
      "http://",
      /answered 407 when asked for a connection to api\.test:443; it wants a user/,
    ],
    [
      "HTTP/1.1 407 Proxy Authentication Required\r\n\r\n",
      "http://me:hunter2@",
      /answered 407 .*it does not take the user and the password/,
    ],
    ["HTTP/1.1 502 Bad Gateway\r\nContent-Length: 4\r\n\r\noops", "http://me:hunter2@", /answered 502 .*NO_PROXY/],
    ["SSH-2.0-x\r\n", "http://me:hunter2@", /gave no connection \(Parse Error/],
    ["", "http://me:hunter2@", /gave no connection \(socket hang up\)/],
  ])("%j is told with the proxy's name, and no credentials", async (refuse, prefix, message) => {
    await using upstream = await startRawUpstream(answering);
    await using proxy = await startForwardProxy({ to: upstream.port, refuse });
    const source = sourceOf({}, { HTTPS_PROXY: `${prefix}proxy.test:${proxy.port}` });
    const failure: unknown = await ask(pools, "https://api.test", { source }).catch((error: unknown) => error);
    expect(failure).toMatchObject({ status: 502, fault: "unreachable", message: expect.stringMatching(message) });
    expect(failure).toMatchObject({ message: expect.stringContaining(`the proxy http://proxy.test:${proxy.port} `) });
    expect(JSON.stringify([String(failure), (failure as Error).stack, (failure as Error).cause])).not.toMatch(/hunter2|aHVudGVyMg|Basic/);
    expect(upstream.connections).toEqual([]);
  });

  it("a proxy that is not there is named", async () => {
    const gone = await startForwardProxy({ to: 1 });
    await gone[Symbol.asyncDispose]();
    const source = sourceOf({}, { HTTPS_PROXY: `http://me:hunter2@proxy.test:${gone.port}` });
    await expect(ask(pools, "https://api.test", { source })).rejects.toMatchObject({
      fault: "unreachable",
      message: `https://api.test could not be reached through the proxy http://proxy.test:${gone.port} (connect ECONNREFUSED 127.0.0.1:${gone.port}): nobody listens there`,
    });
  });

  it("a proxy that takes its time is given up with the request, or in time", async () => {
    await using silent = await startRawUpstream();
    const source = sourceOf({}, { HTTPS_PROXY: `http://proxy.test:${silent.port}` });
    await expect(ask(pools, "https://api.test", { source, timeouts: { connectMs: 50 } })).rejects.toMatchObject({
      status: 504,
      fault: "connect-timeout",
      message: `https://api.test could not be reached within 0.05 s through the proxy http://proxy.test:${silent.port}`,
    });
    await silent.connections[0]?.closed;
    const abort = new AbortController();
    const asked = ask(pools, "https://api.test", { source, signal: abort.signal });
    const connection = await silent.connection(1);
    await connection.request();
    abort.abort(new Error("the client left"));
    await expect(asked).rejects.toThrow("the client left");
    await connection.closed;
  });
});
