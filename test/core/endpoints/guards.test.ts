import { readFile } from "node:fs/promises";
import path from "node:path";

import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { type Proxy, deployment, startProxy } from "../../helpers/proxy.ts";
import { type RawResponse, requestRaw, requestText } from "../../helpers/raw-http.ts";
import { type Upstream, startUpstream } from "../../helpers/upstream.ts";

const masterKey = "sk-master-0123456789";
const body = JSON.stringify({ model: "claude", max_tokens: 1, messages: [] });

const guarded = [
  ["GET", "/health"],
  ["HEAD", "/health"],
  ["GET", "/health/"],
  ["GET", "/HEALTH"],
  ["GET", "/v1/models"],
  ["GET", "/V1/models/"],
  ["GET", "/models"],
  ["GET", "/ccproxy/status"],
  ["GET", "/CCPROXY/Status"],
  ["GET", "/ccproxy/traces/req_1"],
  ["POST", "/v1/messages"],
  ["POST", "/V1/Messages/"],
  ["POST", "/v1/messages?beta=true"],
  ["POST", "/v1/messages/count_tokens"],
  ["GET", "/v1/messages"],
  ["GET", "/v1/files"],
  ["DELETE", "/v1/files/file_1"],
  ["POST", "/v1/messages/batches"],
  ["GET", "/api/oauth/usage"],
] as const;

const open = ["/", "/api/hello", "/health/liveliness", "/health/liveness", "/health/readiness"];

let upstream: Upstream;
beforeAll(async () => {
  upstream = await startUpstream();
});
afterAll(() => upstream.close());

function send(proxy: Proxy, method: string, target: string, headers: readonly string[] = []): Promise<RawResponse> {
  const json = method === "POST" ? ["content-type: application/json"] : [];
  const text = requestText(proxy.port, target, { method, headers: [...json, ...headers], ...(method === "POST" ? { body } : {}) });
  return requestRaw(proxy.port, text);
}

describe("with a master key", () => {
  let proxy: Proxy;
  beforeAll(async () => {
    proxy = await startProxy({ config: { model_list: [deployment("claude", upstream.url)], general_settings: { master_key: masterKey } } });
  });
  afterAll(() => proxy[Symbol.asyncDispose]());

  test.each(guarded)("%s %s is closed to those without it", async (method, target) => {
    const before = upstream.requests.length;
    for (const headers of [[], ["authorization: Bearer wrong"], ["x-api-key: sk-ant-api03-someone"], ["x-ccproxy-token: wrong"]]) {
      const response = await send(proxy, method, target, headers);
      expect(response.status).toBe(401);
      if (method !== "HEAD") expect(JSON.parse(response.body)).toMatchObject({ type: "error", error: { type: "authentication_error" } });
    }
    expect((await send(proxy, method, `/_run/wrong/-${target}`)).status).toBe(401);
    expect(upstream.requests.length).toBe(before);
  });

  test.each(guarded)("%s %s opens with it", async (method, target) => {
    expect((await send(proxy, method, target, [`authorization: Bearer ${masterKey}`])).status).not.toBe(401);
  });

  test.each(open)("GET %s is open, and tells nothing", async (target) => {
    const response = await send(proxy, "GET", target);
    expect(response.status).toBe(200);
    expect(response.body.length).toBeLessThan(100);
    expect(response.body).not.toContain("claude");
  });

  test.each(["authorization: Bearer KEY", "x-api-key: KEY", "x-litellm-api-key: KEY"])(
    "the key does not travel upstream: %s",
    async (header) => {
      const response = await send(proxy, "POST", "/v1/messages", [header.replace("KEY", masterKey)]);
      expect(response.status).toBe(200);
      expect(JSON.stringify(upstream.requests.at(-1)?.rawHeaders)).not.toContain(masterKey);
    },
  );

  test("the control token opens the proxy's own endpoints and no others", async () => {
    const token = [`x-ccproxy-token: ${proxy.controlToken}`];
    expect((await send(proxy, "GET", "/ccproxy/status", token)).status).toBe(200);
    expect((await send(proxy, "GET", "/ccproxy/traces/none", token)).status).toBe(404);
    expect((await send(proxy, "POST", "/v1/messages", token)).status).toBe(401);
    expect((await send(proxy, "GET", "/v1/files", token)).status).toBe(401);
  });

  test("a wrong control token is refused though the key beside it is right", async () => {
    expect((await send(proxy, "GET", "/ccproxy/status", ["x-ccproxy-token: x", `x-api-key: ${masterKey}`])).status).toBe(401);
  });

  test("who is refused does not make the proxy read a body", async () => {
    const head = requestText(proxy.port, "/v1/messages", {
      method: "POST",
      headers: ["content-type: application/json", "content-length: 1000000000"],
    });
    expect((await requestRaw(proxy.port, head)).status).toBe(401);
  });
});

describe("with local_auth", () => {
  let proxy: Proxy;
  let token = "";
  beforeAll(async () => {
    proxy = await startProxy({ config: { model_list: [deployment("claude", upstream.url)] }, ccproxy: { local_auth: true } });
    token = (await readFile(path.join(proxy.directory, "local-token"), "utf8")).trim();
  });
  afterAll(() => proxy[Symbol.asyncDispose]());

  test.each(guarded)("%s %s opens by the token in the URL only", async (method, target) => {
    expect((await send(proxy, method, target)).status).toBe(401);
    expect((await send(proxy, method, target, [`authorization: Bearer ${token}`])).status).toBe(401);
    expect((await send(proxy, method, `/_run/${token}x/-${target}`)).status).toBe(401);
    expect((await send(proxy, method, `/_run/-/${token}${target}`)).status).toBe(401);
    expect((await send(proxy, method, `/_run/-/-/_run/${token}/-${target}`)).status).not.toBe(200);
    expect((await send(proxy, method, `/_run/${token}/-${target}`)).status).not.toBe(401);
  });

  test("neither the token nor the prefix travels upstream", async () => {
    expect((await send(proxy, "POST", `/_run/${token}/-/v1/messages?beta=true`)).status).toBe(200);
    const request = upstream.requests.at(-1);
    expect(request?.url).toBe("/v1/messages?beta=true");
    expect(JSON.stringify(request?.rawHeaders)).not.toContain(token);
  });

  test("liveness stays open", async () => {
    for (const target of open) expect((await send(proxy, "GET", target)).status).toBe(200);
  });
});

describe("without either", () => {
  test("every endpoint is open, but to a wrong control token", async () => {
    await using proxy = await startProxy({ config: { model_list: [deployment("claude", upstream.url)] } });
    for (const target of ["/health", "/v1/models", "/ccproxy/status"]) {
      expect((await send(proxy, "GET", target)).status).toBe(200);
      expect((await send(proxy, "GET", target, ["x-ccproxy-token: wrong"])).status).toBe(401);
    }
  });

  test.each(["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/jsonp", "text/json", ""])(
    "a body that a form could send is refused: %j",
    async (type) => {
      await using proxy = await startProxy({ config: { model_list: [deployment("claude", upstream.url)] } });
      const before = upstream.requests.length;
      const text = requestText(proxy.port, "/v1/messages", { method: "POST", headers: [`content-type: ${type}`], body });
      const response = await requestRaw(proxy.port, text);
      expect(response.status).toBe(415);
      expect(JSON.parse(response.body)).toMatchObject({ error: { type: "invalid_request_error" } });
      expect(upstream.requests.length).toBe(before);
    },
  );

  test("JSON with a charset or in capitals passes", async () => {
    await using proxy = await startProxy({ config: { model_list: [deployment("claude", upstream.url)] } });
    for (const type of ["application/json; charset=utf-8", "Application/JSON"]) {
      const text = requestText(proxy.port, "/v1/messages", { method: "POST", headers: [`content-type: ${type}`], body });
      expect((await requestRaw(proxy.port, text)).status).toBe(200);
    }
  });
});

test("what a page could do ends at the gate, before any endpoint", async () => {
  await using proxy = await startProxy({ config: { model_list: [deployment("claude", upstream.url)] } });
  const before = upstream.requests.length;
  for (const [method, target] of guarded) {
    const response = await send(proxy, method, target, ["origin: https://evil.example"]);
    expect(response.status).toBe(403);
    expect(Object.keys(response.headers).filter((name) => name.startsWith("access-control-"))).toEqual([]);
    expect((await send(proxy, method, target, ["host: evil.example"])).status).toBe(421);
  }
  expect(upstream.requests.length).toBe(before);
});
