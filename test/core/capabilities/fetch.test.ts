import { once } from "node:events";
import type { LookupAddress } from "node:dns";
import { createServer as createTlsServer } from "node:https";
import { createServer, type IncomingMessage, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { brotliCompressSync, gzipSync, zstdCompressSync } from "node:zlib";

import { afterEach, beforeAll, describe, expect, onTestFinished, test } from "vitest";

import { describeRefused } from "../../../core/capabilities/addresses.ts";
import { createFetch, type FetchCapability, type FetchOperation, type FetchOptions } from "../../../core/capabilities/fetch.ts";
import { grantedOrigin } from "../../../core/capabilities/fetch-target.ts";
import type { FetchValue } from "../../../core/sandbox/protocol.ts";
import { selfSigned, type SelfSigned } from "../../helpers/self-signed.ts";

interface Seen {
  readonly method: string | undefined;
  readonly url: string | undefined;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
}

const open: { close(): unknown }[] = [];
afterEach(async () => {
  for (const one of open.splice(0)) await one.close();
});

let certificate: SelfSigned;
beforeAll(() => {
  certificate = selfSigned("api.test", "other.test", "internal.test");
});

/** A server on loopback that records what it was asked. */
async function start(answer: RequestListener, tls = false): Promise<{ port: number; seen: Seen[]; server: Server }> {
  const seen: Seen[] = [];
  const listener: RequestListener = (request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      seen.push({ method: request.method, url: request.url, headers: request.headers, body: Buffer.concat(chunks).toString() });
      answer(request, response);
    });
  };
  const server = tls ? createTlsServer(certificate, listener) : createServer(listener);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  open.push({
    close() {
      server.closeAllConnections();
      server.close();
    },
  });
  return { port: (server.address() as AddressInfo).port, seen, server };
}

const hello: RequestListener = (_, response) => {
  response.end("hello");
};

function make(options: Partial<FetchOptions> = {}): FetchCapability {
  const made = createFetch({ ownPort: () => undefined, ...options });
  open.push(made);
  return made;
}

/** Names resolve as told; 127.0.0.1 passes for public, so that a server under test can be one. */
function makePublic(
  addresses: (name: string) => readonly string[] = () => ["127.0.0.1"],
  options: Partial<FetchOptions> = {},
): FetchCapability {
  return make({
    resolve: async (name) => addresses(name).map((address): LookupAddress => ({ address, family: address.includes(":") ? 6 : 4 })),
    publicAddresses: (address) => (address === "127.0.0.1" ? undefined : describeRefused(address)),
    ca: certificate.cert,
    ...options,
  });
}

interface Ask extends Partial<FetchOperation> {
  readonly hosts: readonly string[];
  readonly signal?: AbortSignal;
}

function ask({ fetch }: FetchCapability, url: string, { hosts, signal, ...operation }: Ask): Promise<FetchValue> {
  const call = { hosts, key: "run 1 operation 0", signal: signal ?? new AbortController().signal };
  return fetch({ url, method: "GET", headers: {}, body: null, ...operation }, call);
}

describe("a granted host", () => {
  test("on this machine answers with status, headers and text", async () => {
    const { port, seen } = await start((_, response) => {
      response.writeHead(201, { "x-kind": ["a", "b"], "set-cookie": "id=1", "content-type": "text/plain" }).end("héllo");
    });
    const reply = await ask(make(), `http://127.0.0.1:${port}/p?q=1#hash`, { hosts: [`http://127.0.0.1:${port}`] });
    expect(reply).toMatchObject({ status: 201, body: "héllo", headers: { "x-kind": "a, b", "content-type": "text/plain" } });
    expect(reply.headers).not.toHaveProperty("set-cookie");
    expect(seen).toMatchObject([{ method: "GET", url: "/p?q=1", headers: { "user-agent": "ccproxy", "accept-encoding": "identity" } }]);
    expect(seen[0]?.headers).not.toHaveProperty("idempotency-key");
    expect(seen[0]?.headers).not.toHaveProperty("cookie");
  });

  test("is spoken to over TLS, at the address that was checked, with its name verified", async () => {
    const { port, seen } = await start(hello, true);
    const fetching = makePublic();
    const reply = await ask(fetching, `https://api.test:${port}/`, { hosts: [`api.test:${port}`], method: "POST", body: '{"a":1}' });
    expect(reply.body).toBe("hello");
    expect(seen).toMatchObject([{ method: "POST", body: '{"a":1}', headers: { host: `api.test:${port}` } }]);
    await expect(ask(fetching, `https://wrong.test:${port}/`, { hosts: [`wrong.test:${port}`] })).rejects.toThrow(
      "ERR_TLS_CERT_ALTNAME_INVALID",
    );
    const untrusting = makePublic(undefined, { ca: selfSigned("api.test").cert });
    await expect(ask(untrusting, `https://api.test:${port}/`, { hosts: [`api.test:${port}`] })).rejects.toThrow(
      /fetch of api\.test:\d+ failed \(\w+\)$/,
    );
    expect(seen).toHaveLength(1);
  });

  test("gets the same idempotency key for the same operation, unless user code has one of its own", async () => {
    const { port, seen } = await start(hello);
    const hosts = [`http://127.0.0.1:${port}`];
    const url = `http://127.0.0.1:${port}/`;
    const fetching = make();
    for (const headers of [{}, {}, { "Idempotency-Key": "mine" }]) await ask(fetching, url, { hosts, method: "post", body: "x", headers });
    const keys = seen.map(({ headers }) => headers["idempotency-key"]);
    expect(keys[0]).toMatch(/^[0-9a-f]{32}$/);
    expect(keys).toEqual([keys[0], keys[0], "mine"]);
  });
});

describe("a host that is not granted", () => {
  test.each([
    ["https://evil.test/", ["api.test"]],
    ["https://api.test:8443/", ["api.test"]],
    ["https://api.test.evil.test/", ["api.test"]],
    ["https://sub.api.test/", ["api.test"]],
    ["https://api.test./", ["api.test"]],
    ["http://api.test/", ["api.test"]],
    ["https://api.test@evil.test/", ["api.test"]],
    ["https://user:password@api.test/", ["api.test"]],
    ["https://evil.test/?https://api.test/", ["api.test"]],
    ["https://evil.test\\@api.test/", ["api.test"]],
    ["file:///etc/passwd", ["api.test"]],
    ["data:text/plain,hello", ["api.test"]],
    ["ftp://api.test/", ["api.test"]],
    ["//api.test/", ["api.test"]],
    ["/path", ["api.test"]],
    ["", ["api.test"]],
    ["http://127.0.0.1:8080/", ["http://127.0.0.1:8081"]],
    ["http://localhost:8080/", ["http://127.0.0.1:8080"]],
    ["http://2130706433:8080/", []],
    ["https://api.test/", []],
  ])("is refused before anything is sent: %s with %j", async (url, hosts) => {
    const fetching = makePublic(() => {
      throw new Error("asked the resolver");
    });
    await expect(ask(fetching, url, { hosts })).rejects.toMatchObject({ name: "CapabilityError" });
  });

  test("is named with the grant it would need", async () => {
    await expect(ask(make(), "https://api.test:8443/x", { hosts: ["b.test"] })).rejects.toThrow(
      'fetch of api.test:8443 needs the grant "fetch:api.test:8443"; granted: b.test',
    );
  });

  test.each([
    ["api.test", "https://api.test"],
    ["API.test", "https://api.test"],
    ["api.test:443", "https://api.test"],
    ["api.test:8443", "https://api.test:8443"],
    ["https://api.test", "https://api.test"],
    ["http://127.0.0.1:8080", "http://127.0.0.1:8080"],
    ["http://[::1]:8080", "http://[::1]:8080"],
    ["http://localhost:8080", "http://localhost:8080"],
    ["http://127.0.0.1", undefined],
    ["http://api.test:8080", undefined],
    ["http://10.0.0.1:8080", undefined],
    ["ftp://api.test", undefined],
    ["api.test/path", undefined],
    ["api.test/", undefined],
    ["api.test?x", undefined],
    ["*.api.test", undefined],
    ["*", undefined],
    ["user@api.test", undefined],
    ["", undefined],
  ])("a grant of %j opens %j", (host, origin) => {
    expect(grantedOrigin(host)).toBe(origin);
  });
});

describe("an address that is not public", () => {
  test.each([
    "127.0.0.2",
    "10.0.0.1",
    "169.254.169.254",
    "100.64.0.1",
    "0.0.0.0",
    "::1",
    "fd00::1",
    "fe80::1",
    "::ffff:127.0.0.1",
    "64:ff9b::7f00:1",
  ])("is refused although the name is granted: %s", async (address) => {
    await expect(
      ask(
        makePublic(() => [address]),
        "https://internal.test/",
        { hosts: ["internal.test"] },
      ),
    ).rejects.toThrow(`fetch of internal.test is refused: its address ${address} is `);
  });

  test.each([
    "https://169.254.169.254/",
    "https://127.0.0.1/",
    "https://[::1]/",
    "https://[::ffff:10.0.0.1]/",
    "https://0x7f.1/",
    "https://0/",
  ])("is refused although it is granted itself: %s", async (url) => {
    await expect(ask(make(), url, { hosts: [new URL(url).host] })).rejects.toThrow("is refused: its address");
  });

  test("among public ones spoils the name", async () => {
    const { port, seen } = await start(hello, true);
    const url = `https://api.test:${port}/`;
    await expect(
      ask(
        makePublic(() => ["127.0.0.1", "10.0.0.1"]),
        url,
        { hosts: [`api.test:${port}`] },
      ),
    ).rejects.toThrow("10.0.0.1 is private");
    expect(seen).toHaveLength(0);
  });

  test("that a name has only the second time is found the second time", async () => {
    const { port, seen, server } = await start(hello, true);
    const answers = [["127.0.0.1"], ["127.0.0.2"]];
    const fetching = makePublic(() => answers.shift() ?? []);
    const url = `https://api.test:${port}/`;
    const hosts = [`api.test:${port}`];
    expect(await ask(fetching, url, { hosts })).toMatchObject({ status: 200 });
    server.closeAllConnections();
    await expect(ask(fetching, url, { hosts })).rejects.toThrow("127.0.0.2 is loopback");
    expect(seen).toHaveLength(1);
    await expect(ask(fetching, url, { hosts })).rejects.toThrow("the name has no address");
  });

  test("is resolved once per connection: what was checked is what is connected to", async () => {
    const { port } = await start(hello, true);
    let lookups = 0;
    const fetching = makePublic(() => {
      lookups += 1;
      return lookups === 1 ? ["127.0.0.1"] : ["10.0.0.1"];
    });
    expect(await ask(fetching, `https://api.test:${port}/`, { hosts: [`api.test:${port}`] })).toMatchObject({ body: "hello" });
    expect(lookups).toBe(1);
  });

  test("is not what localhost may lead to", async () => {
    const { port, seen } = await start(hello);
    const elsewhere = make({ resolve: async () => [{ address: "192.168.1.1", family: 4 }] });
    await expect(ask(elsewhere, `http://localhost:${port}/`, { hosts: [`http://localhost:${port}`] })).rejects.toThrow(
      "192.168.1.1 is not this machine",
    );
    expect(seen).toHaveLength(0);
  });
});

test("the proxy itself is refused, whatever is granted", async () => {
  const { port, seen } = await start(hello);
  const fetching = make({ ownPort: () => port });
  for (const host of ["127.0.0.1", "localhost"]) {
    await expect(ask(fetching, `http://${host}:${port}/v1/messages`, { hosts: [`http://${host}:${port}`] })).rejects.toThrow(
      "this proxy itself",
    );
  }
  expect(seen).toHaveLength(0);
});

describe("a redirect", () => {
  test("on the same host is followed, with everything that was sent", async () => {
    const { port, seen } = await start((request, response) => {
      if (request.url === "/a") response.writeHead(307, { location: "/b" }).end("moved");
      else response.end("there");
    });
    const headers = { authorization: "Bearer t" };
    const hosts = [`http://127.0.0.1:${port}`];
    const reply = await ask(make(), `http://127.0.0.1:${port}/a`, { hosts, method: "POST", body: "x", headers });
    expect(reply).toMatchObject({ status: 200, body: "there" });
    expect(seen[1]).toMatchObject({ method: "POST", body: "x", headers: { authorization: "Bearer t" } });
  });

  test.each([301, 302, 303])("with status %i after a POST is a GET without body", async (status) => {
    const { port, seen } = await start((request, response) => {
      if (request.url === "/a") response.writeHead(status, { location: "/b" }).end();
      else response.end("there");
    });
    await ask(make(), `http://127.0.0.1:${port}/a`, { hosts: [`http://127.0.0.1:${port}`], method: "POST", body: "x" });
    expect(seen[1]).toMatchObject({ method: "GET", body: "" });
    expect(seen[1]?.headers).not.toHaveProperty("content-type");
    expect(seen[1]?.headers).not.toHaveProperty("idempotency-key");
  });

  test("to another granted host takes no credential along", async () => {
    const other = await start(hello, true);
    const first = await start((_, response) => response.writeHead(308, { location: `https://other.test:${other.port}/b` }).end(), true);
    const secrets = { authorization: "Bearer t", "X-Api-Key": "k", cookie: "c=1", "x-webhook-secret": "s", accept: "text/plain" };
    const hosts = [`api.test:${first.port}`, `other.test:${other.port}`];
    const reply = await ask(makePublic(), `https://api.test:${first.port}/a`, { hosts, method: "PUT", body: "x", headers: secrets });
    expect(reply.body).toBe("hello");
    expect(first.seen[0]?.headers).toMatchObject({ authorization: "Bearer t", "x-webhook-secret": "s" });
    for (const name of ["authorization", "x-api-key", "cookie", "x-webhook-secret"])
      expect(other.seen[0]?.headers).not.toHaveProperty(name);
    expect(other.seen[0]).toMatchObject({ method: "PUT", headers: { accept: "text/plain" } });
  });

  test.each([
    "https://evil.test/",
    "http://169.254.169.254/",
    "http://127.0.0.1:1/",
    "https://internal.test/",
    "http://api.test/",
    "file:///etc/passwd",
    "https://",
  ])("to %s, which nothing grants, is not followed", async (location) => {
    const { port, seen } = await start((_, response) => response.writeHead(302, { location }).end(), true);
    await expect(ask(makePublic(), `https://api.test:${port}/`, { hosts: [`api.test:${port}`] })).rejects.toThrow(/redirected/);
    expect(seen).toHaveLength(1);
  });

  test("to a granted name with a private address is refused", async () => {
    const { port } = await start((_, response) => response.writeHead(302, { location: "https://internal.test/" }).end(), true);
    const fetching = makePublic((name) => [name === "api.test" ? "127.0.0.1" : "10.1.2.3"]);
    await expect(ask(fetching, `https://api.test:${port}/`, { hosts: [`api.test:${port}`, "internal.test"] })).rejects.toThrow(
      "10.1.2.3 is private",
    );
  });

  test("that never ends is given up after three", async () => {
    const { port, seen } = await start((_, response) => response.writeHead(302, { location: "/again" }).end());
    await expect(ask(make(), `http://127.0.0.1:${port}/`, { hosts: [`http://127.0.0.1:${port}`] })).rejects.toThrow(
      "more than 3 redirects",
    );
    expect(seen).toHaveLength(4);
  });
});

describe("headers of user code", () => {
  test.each([
    "Host",
    "Connection",
    "Content-Length",
    "Transfer-Encoding",
    "Proxy-Authorization",
    "Upgrade",
    "TE",
    "Accept-Encoding",
    "X-Forwarded-For",
  ])("cannot be %s", async (name) => {
    const { port, seen } = await start(hello);
    await expect(
      ask(make(), `http://127.0.0.1:${port}/`, { hosts: [`http://127.0.0.1:${port}`], headers: { [name]: "x" } }),
    ).rejects.toThrow(`the header "${name}" is not yours to set`);
    expect(seen).toHaveLength(0);
  });

  test.each([
    ["x-a", "1\r\nx-b: 2"],
    ["x-a", "1\n2"],
    ["x-a", "1\u0000"],
    ["x-a", "\u0100"],
    ["x-a", "\ud800"],
    ["x-a\r\nx-b", "1"],
    ["x a", "1"],
    ["", "1"],
    ["x-a:", "1"],
    ["x-ä", "1"],
  ])("cannot carry what breaks the request: %j: %j", async (name, value) => {
    const { port, seen } = await start(hello);
    const hosts = [`http://127.0.0.1:${port}`];
    await expect(ask(make(), `http://127.0.0.1:${port}/`, { hosts, headers: { [name]: value } })).rejects.toMatchObject({
      name: "CapabilityError",
    });
    expect(seen).toHaveLength(0);
  });

  test("called __proto__ are headers", async () => {
    const { port, seen } = await start(hello);
    const headers: Record<string, string> = JSON.parse('{"__proto__":"x","constructor":"y"}');
    await ask(make(), `http://127.0.0.1:${port}/`, { hosts: [`http://127.0.0.1:${port}`], headers });
    expect(Object.entries(seen[0]?.headers ?? {})).toContainEqual(["constructor", "y"]);
  });

  test("are at most 50", async () => {
    const headers = Object.fromEntries(Array.from({ length: 51 }, (_, index) => [`x-${index}`, "1"]));
    await expect(ask(make(), "https://api.test/", { hosts: ["api.test"], headers })).rejects.toThrow("at most 50 headers");
    await expect(ask(make(), "https://api.test/", { hosts: ["api.test"], headers: { a: "x".repeat(17_000) } })).rejects.toThrow(
      "16384 bytes",
    );
  });
});

describe("sizes", () => {
  test("a request body over the limit is not sent", async () => {
    const fetching = make({ limits: { requestBytes: 10 } });
    await expect(ask(fetching, "https://api.test/", { hosts: ["api.test"], method: "POST", body: "é".repeat(6) })).rejects.toThrow(
      "a body of 12 bytes; at most 10",
    );
  });

  test("a reply over the limit is given up, and its connection closed", async () => {
    const { port, server } = await start((_, response) => {
      const more = (): void => {
        while (response.write("x".repeat(65_536)));
        response.once("drain", more);
      };
      more();
    });
    const closed = new Promise((resolve) => {
      server.once("connection", (socket) => socket.on("error", () => undefined).once("close", resolve));
    });
    await expect(ask(make(), `http://127.0.0.1:${port}/`, { hosts: [`http://127.0.0.1:${port}`] })).rejects.toThrow(
      "the reply is larger than 1048576 bytes",
    );
    await closed;
  });

  test.each([
    ["gzip", gzipSync],
    ["br", brotliCompressSync],
    ["zstd", zstdCompressSync],
  ])("a %s reply is decompressed, within the limit", async (encoding, compress) => {
    let size = 1000;
    const { port } = await start((_, response) =>
      response.writeHead(200, { "content-encoding": encoding }).end(compress(Buffer.alloc(size, "a"))),
    );
    const fetching = make();
    const hosts = [`http://127.0.0.1:${port}`];
    const reply = await ask(fetching, `http://127.0.0.1:${port}/`, { hosts });
    expect(reply.body).toBe("a".repeat(1000));
    expect(reply.headers).not.toHaveProperty("content-encoding");
    expect(reply.headers).not.toHaveProperty("content-length");
    size = 50_000_000;
    await expect(ask(fetching, `http://127.0.0.1:${port}/`, { hosts })).rejects.toThrow("the reply is larger than 1048576 bytes");
  });

  test("a broken or unknown encoding is an error, not a crash", async () => {
    let encoding = "gzip";
    const { port } = await start((_, response) => response.writeHead(200, { "content-encoding": encoding }).end("not compressed"));
    const fetching = make();
    const hosts = [`http://127.0.0.1:${port}`];
    await expect(ask(fetching, `http://127.0.0.1:${port}/`, { hosts })).rejects.toThrow("the compressed reply is broken");
    encoding = "gzip, gzip";
    await expect(ask(fetching, `http://127.0.0.1:${port}/`, { hosts })).rejects.toThrow("an encoding that is not known here");
  });

  test("HEAD has no body", async () => {
    const { port } = await start((_, response) => response.writeHead(200, { "content-encoding": "gzip", "content-length": "99" }).end());
    const reply = await ask(make(), `http://127.0.0.1:${port}/`, { hosts: [`http://127.0.0.1:${port}`], method: "HEAD" });
    expect(reply).toMatchObject({ status: 200, body: "" });
  });
});

describe("time", () => {
  test("is up when the signal says so, and the connection is closed", async () => {
    const { port, server } = await start(() => undefined);
    const controller = new AbortController();
    const connection = once(server, "request");
    const asked = ask(make(), `http://127.0.0.1:${port}/`, { hosts: [`http://127.0.0.1:${port}`], signal: controller.signal });
    const [request] = await connection;
    const closed = once(request.socket, "close");
    controller.abort(new Error("the caller left"));
    await expect(asked).rejects.toThrow("the caller left");
    await closed;
  });

  test("is up by itself", async () => {
    const { port } = await start(() => undefined);
    await expect(
      ask(make({ limits: { totalMs: 50 } }), `http://127.0.0.1:${port}/`, { hosts: [`http://127.0.0.1:${port}`] }),
    ).rejects.toThrow("took longer than 50 ms");
  });

  test("covers a reply that drips", async () => {
    const { port } = await start((_, response) => {
      const timer = setInterval(() => response.write("x"), 5);
      onTestFinished(() => clearInterval(timer));
    });
    await expect(
      ask(make({ limits: { totalMs: 60 } }), `http://127.0.0.1:${port}/`, { hosts: [`http://127.0.0.1:${port}`] }),
    ).rejects.toThrow("took longer than 60 ms");
  });
});

test("a failed connection is told by its code alone", async () => {
  const { port, server } = await start(hello);
  server.close();
  await once(server, "close");
  await expect(ask(make(), `http://127.0.0.1:${port}/?token=secret`, { hosts: [`http://127.0.0.1:${port}`] })).rejects.toThrow(
    new RegExp(`^fetch of 127\\.0\\.0\\.1:${port} failed \\(ECONNREFUSED\\)$`),
  );
});

test.each(["TRACE", "CONNECT", "GET /x HTTP/1.1\r\nHost: evil", ""])("the method %j is refused", async (method) => {
  await expect(ask(make(), "https://api.test/", { hosts: ["api.test"], method })).rejects.toThrow("fetch knows the methods");
});
