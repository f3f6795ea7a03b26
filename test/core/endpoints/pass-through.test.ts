import { once } from "node:events";
import { request as httpRequest } from "node:http";

import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { ask, openAnswer } from "../../helpers/client.ts";
import { type Proxy, deployment, startProxy } from "../../helpers/proxy.ts";
import { cutReply, errorReply, jsonReply, noReply, rawReply } from "../../helpers/replies.ts";
import { requestRaw, requestText } from "../../helpers/raw-http.ts";
import { type Upstream, startUpstream } from "../../helpers/upstream.ts";
import { vendorPlugins } from "../../helpers/vendor.ts";

const key = { "x-api-key": "sk-ant-api03-callers" };
const login = { authorization: "Bearer sk-ant-oat01-callers" };

let vendor: Upstream;
let other: Upstream;
let proxy: Proxy;
beforeEach(async () => {
  [vendor, other] = await Promise.all([startUpstream(), startUpstream()]);
  proxy = await startProxy({
    config: { model_list: [deployment("claude-x", other.url)] },
    ccproxy: { oat_sources: { anthropic: "echo sk-ant-oat01-sourced" } },
    plugins: vendorPlugins(vendor.url),
  });
});
afterEach(async () => {
  await proxy[Symbol.asyncDispose]();
  await Promise.all([vendor.close(), other.close()]);
});

describe("with a credential of the vendor", () => {
  test.each([
    ["GET", "/v1/messages/batches?limit=20&after_id=a%20b", undefined],
    ["GET", "/v1/messages/batches/msgbatch_1/results", undefined],
    ["POST", "/v1/messages/batches", '{"requests":[]}'],
    ["DELETE", "/v1/files/file_1", undefined],
    ["PUT", "/v1/skills/skill_1", "{}"],
    ["PATCH", "/v1/skills/skill_1", "{}"],
    ["GET", "/v1/files/file_1/content", undefined],
    ["GET", "/api/oauth/usage", undefined],
    ["GET", "/v1/messages", undefined],
  ])("%s %s goes to the vendor as it came", async (method, path, body) => {
    vendor.script(jsonReply({ ok: true }, { headers: { "request-id": "req_theirs", "anthropic-ratelimit-requests-limit": "5" } }), "*");
    for (const headers of [key, login]) {
      const answer = await ask(proxy.url, body, { method, path, headers: { ...headers, "anthropic-beta": "files-api-2025-04-14" } });
      expect(answer).toMatchObject({
        status: 200,
        end: "clean",
        headers: { "request-id": "req_theirs", "anthropic-ratelimit-requests-limit": "5" },
      });
      const request = vendor.requests.at(-1);
      expect(request).toMatchObject({ method, url: path, headers: { ...headers, "anthropic-beta": "files-api-2025-04-14" } });
      expect(request?.body.toString()).toBe(body ?? "");
    }
    expect(other.requests).toEqual([]);
  });

  test("HEAD is answered without a body", async () => {
    vendor.script(
      rawReply((response) => void response.writeHead(200, { "content-length": "123", "x-there": "1" }).end()),
      "*",
    );
    const text = requestText(proxy.port, "/v1/files/file_1", { method: "HEAD", headers: ["x-api-key: sk-ant-api03-x"] });
    expect(await requestRaw(proxy.port, text)).toMatchObject({
      status: 200,
      body: "",
      headers: { "x-there": "1", "content-length": "123" },
    });
  });

  test("errors, redirects and bytes of the vendor come back unmodified", async () => {
    vendor.script(errorReply(404, { message: "no such file" }), "GET /v1/files/missing");
    expect((await ask(proxy.url, undefined, { method: "GET", path: "/v1/files/missing", headers: key })).json()).toMatchObject({
      error: { message: "no such file" },
    });
    const bytes = Buffer.from(Array.from({ length: 1000 }, (_, index) => index % 256));
    vendor.script(
      rawReply(
        (response) => void response.writeHead(200, { "content-type": "application/octet-stream", "content-encoding": "x-own" }).end(bytes),
      ),
      "GET /v1/files/f/content",
    );
    const content = await ask(proxy.url, undefined, { method: "GET", path: "/v1/files/f/content", headers: key });
    expect(content.bytes.equals(bytes)).toBe(true);
    expect(content.headers["content-encoding"]).toBe("x-own");
  });

  test("the placeholder beside it stays here, and so do hop-by-hop headers and hints", async () => {
    vendor.script(jsonReply({}), "*");
    const headers = {
      ...login,
      "x-api-key": "placeholder",
      "x-claude-code-request-class": "main",
      "x-forwarded-for": "1.2.3.4",
      cookie: "a=b",
      "x-ccproxy-token": "",
    };
    await ask(proxy.url, undefined, { method: "GET", path: "/v1/files", headers });
    const names = vendor.requests[0]?.rawHeaders.map(([name]) => name.toLowerCase());
    expect(names).toEqual(["host", "connection", "authorization"]);
  });

  test("an upload of any type is sent on while it arrives, in no more pieces than fit the way", async () => {
    const boundary = "----form";
    const arrived = Promise.withResolvers<void>();
    await using eager = await startUpstream();
    await using streaming = await startProxy({ plugins: vendorPlugins(eager.url) });
    eager.script(
      rawReply((response) => void response.end("{}")),
      "*",
    );
    const received = eager.nextRequest();
    const client = httpRequest(`${streaming.url}/v1/files`, {
      method: "POST",
      headers: { ...key, "content-type": `multipart/form-data; boundary=${boundary}` },
    });
    client.on("response", (response) => response.resume().on("end", () => arrived.resolve()));
    client.write(`--${boundary}\r\ncontent-disposition: form-data; name="file"\r\n\r\n`);
    const piece = Buffer.alloc(64 * 1024, "x");
    for (let sent = 0; sent < 32; sent++) if (!client.write(piece)) await once(client, "drain");
    client.end(`\r\n--${boundary}--\r\n`);
    await arrived.promise;
    const { body, headers } = await received;
    expect(headers["content-type"]).toBe(`multipart/form-data; boundary=${boundary}`);
    expect(headers["transfer-encoding"]).toBe("chunked");
    expect(body.length).toBeGreaterThan(32 * piece.length);
  });

  test("a big upload is held back when the vendor does not read it, and is not collected here", async () => {
    await using slow = await startUpstream(undefined, { readBody: false });
    const reading = Promise.withResolvers<void>();
    slow.script(
      rawReply(async (response) => {
        await reading.promise;
        response.end("{}");
      }),
      "*",
    );
    await using streaming = await startProxy({ plugins: vendorPlugins(slow.url) });
    const client = httpRequest(`${streaming.url}/v1/files`, {
      method: "POST",
      headers: { ...key, "content-length": String(512 * 1024 * 1024) },
    });
    client.on("error", () => undefined);
    const piece = Buffer.alloc(1024 * 1024);
    let sent = 0;
    // As much as the sockets on the way take; a proxy that collected would take all of it.
    while (sent < 512 && client.write(piece)) sent += 1;
    const stalled = await new Promise<boolean>((resolve) => {
      const pump = (): void => {
        while (sent < 512 && client.write(piece)) sent += 1;
        if (sent >= 512) resolve(false);
      };
      client.on("drain", pump);
      void slow.nextRequest().then(() => setTimeout(() => resolve(sent < 512), 500));
      pump();
    });
    expect(stalled).toBe(true);
    expect(sent).toBeLessThan(64);
    reading.resolve();
    client.destroy();
  });

  test("a refusal that comes before the upload has ended is handed on, and the proxy lives", async () => {
    await using hasty = await startUpstream(undefined, { readBody: false });
    hasty.script(errorReply(413, { message: "too large" }), "*");
    await using streaming = await startProxy({ plugins: vendorPlugins(hasty.url) });
    const answer = await new Promise<{ status: number | undefined; text: string }>((resolve, reject) => {
      const client = httpRequest(`${streaming.url}/v1/files`, {
        method: "POST",
        headers: { ...key, "content-length": String(64 * 1024 * 1024) },
      });
      client.on("response", (response) => {
        let text = "";
        response.on("data", (chunk: Buffer) => (text += chunk.toString()));
        response.on("end", () => {
          resolve({ status: response.statusCode, text });
          client.destroy();
        });
      });
      client.on("error", reject);
      client.write(Buffer.alloc(1024 * 1024));
    });
    expect(answer.status).toBe(413);
    expect(answer.text).toContain("too large");
    expect((await ask(streaming.url, undefined, { method: "GET", path: "/health/liveliness" })).status).toBe(200);
  });

  test("a client that leaves during its upload, or during the answer, ends the request to the vendor", async () => {
    vendor.script(
      rawReply((response) => {
        response.writeHead(200, { "content-type": "application/x-jsonl" });
        response.write("first\n");
      }),
      "GET /v1/messages/batches/b/results",
    );
    const arrived = vendor.nextRequest();
    const open = await openAnswer(proxy.url, undefined, { method: "GET", path: "/v1/messages/batches/b/results", headers: key });
    await open.until("first");
    open.leave();
    await (
      await arrived
    ).aborted;

    const client = httpRequest(`${proxy.url}/v1/files`, { method: "POST", headers: { ...key, "content-length": "1000000" } });
    client.on("error", () => undefined);
    client.write("x".repeat(1000));
    await expect.poll(() => vendor.openExchanges).toBe(1);
    client.destroy();
    await expect.poll(() => vendor.openExchanges).toBe(0);
    expect((await ask(proxy.url, undefined, { method: "GET", path: "/health/liveliness" })).status).toBe(200);
  });

  test("a vendor that is gone is a 502 in the common envelope, one that breaks off is not a clean end", async () => {
    vendor.script(cutReply("reset"), "*");
    const answer = await ask(proxy.url, '{"a":1}', { path: "/v1/files", headers: key });
    expect(answer.status).toBe(502);
    expect(answer.json()).toMatchObject({ type: "error", error: { type: "api_error" } });
    vendor.script(
      rawReply((response) => {
        response.writeHead(200, { "content-type": "application/octet-stream" });
        response.write("half", () => response.destroy());
      }),
      "*",
    );
    expect((await ask(proxy.url, undefined, { method: "GET", path: "/v1/files/f/content", headers: key })).end).toBe("broken");
  });

  test("a method the vendor does not know is refused here", async () => {
    const text = requestText(proxy.port, "/v1/files", { method: "PROPFIND", headers: ["x-api-key: sk-ant-api03-x"] });
    expect((await requestRaw(proxy.port, text)).status).toBe(405);
    expect(vendor.requests).toEqual([]);
  });

  test("is relayed with a line in the log that tells no credential", async () => {
    vendor.script(jsonReply({}), "*");
    await ask(proxy.url, undefined, { method: "GET", path: "/v1/files?key=sk-ant-api03-query", headers: key });
    await proxy.stop();
    const lines = (await proxy.logLines()).filter(({ msg }) => msg === "relayed");
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatchObject({ method: "GET", path: "/v1/files", status: 200 });
    expect(await proxy.logText()).not.toContain("sk-ant");
  });
});

describe("without one", () => {
  test.each([
    ["no credential", {}],
    ["a placeholder", { "x-api-key": "placeholder" }],
    ["a credential of someone else's", { authorization: "Bearer sk-proj-0123456789" }],
    ["Basic authentication", { authorization: "Basic c2stYW50LQ==" }],
    ["a credential in another header", { "x-goog-api-key": "sk-ant-api03-x" }],
  ])("with %s there is no such path, though a token source exists", async (_what, headers) => {
    const answer = await ask(proxy.url, undefined, { method: "GET", path: "/v1/files", headers });
    expect(answer.status).toBe(404);
    expect(answer.json()).toMatchObject({ type: "error", error: { type: "not_found_error" } });
    expect(vendor.requests).toEqual([]);
  });
});

test.each(["/v2/files", "/", "/v1", "/apis/x", "/ccproxy/other", "/health/other", "/x/v1/files"])(
  "%s is no path of the vendor's",
  async (path) => {
    const { status } = await ask(proxy.url, undefined, { method: "GET", path, headers: key });
    expect(status).toBe(path === "/" ? 200 : 404);
    expect(vendor.requests).toEqual([]);
  },
);

test("a master key that looks like the vendor's does not travel, and does not open the vendor by itself", async () => {
  const masterKey = "sk-ant-api03-used-as-master-key";
  await using guarded = await startProxy({
    config: { model_list: [], general_settings: { master_key: masterKey } },
    plugins: vendorPlugins(vendor.url),
  });
  vendor.script(jsonReply({}), "*");
  const get = (headers: Readonly<Record<string, string>>): ReturnType<typeof ask> =>
    ask(guarded.url, undefined, { method: "GET", path: "/v1/files", headers });
  expect((await get({ authorization: `Bearer ${masterKey}`, "x-api-key": masterKey })).status).toBe(404);
  expect(vendor.requests).toEqual([]);
  expect((await get({ authorization: `Bearer sk-ant-oat01-own`, "x-api-key": masterKey })).status).toBe(200);
  expect(vendor.requests[0]?.headers).toMatchObject({ authorization: "Bearer sk-ant-oat01-own" });
  expect(JSON.stringify(vendor.requests[0]?.rawHeaders)).not.toContain(masterKey);
});

test("a path that is served says which method it does not take", async () => {
  const answer = await ask(proxy.url, undefined, { method: "GET", path: "/v1/messages" });
  expect(answer.status).toBe(405);
  expect(answer.json()).toMatchObject({ error: { message: "/v1/messages does not take GET." } });
});

test("a stop ends what is still being relayed once its grace is over", async () => {
  await using stopping = await startProxy({ config: { model_list: [] }, plugins: vendorPlugins(vendor.url) });
  vendor.script(noReply(), "GET /v1/files");
  const asked = vendor.nextRequest();
  const answer = ask(stopping.url, undefined, { method: "GET", path: "/v1/files", headers: key });
  const relayed = await asked;
  await stopping.stop(0);
  await relayed.aborted;
  expect((await answer).status).toBe(503);
});
