import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { type Answer, ask } from "../../helpers/client.ts";
import { type Proxy, deployment, startProxy } from "../../helpers/proxy.ts";
import { rawReply } from "../../helpers/replies.ts";
import { type Upstream, type UpstreamRequest, startUpstream } from "../../helpers/upstream.ts";
import { vendorPlugins } from "../../helpers/vendor.ts";

const login = "sk-ant-oat01-callers-login";
const key = "sk-ant-api03-callers-key";
const callers = { authorization: `Bearer ${login}`, "x-api-key": key };

let vendor: Upstream;
let other: Upstream;
beforeEach(async () => {
  [vendor, other] = await Promise.all([startUpstream(), startUpstream()]);
});
afterEach(() => Promise.all([vendor.close(), other.close()]));

function start(entries: readonly unknown[]): Promise<Proxy> {
  return startProxy({ config: { model_list: entries }, plugins: vendorPlugins(vendor.url) });
}

/** A group without a key. */
const keyless = (group: string, apiBase: string, params: Readonly<Record<string, unknown>> = {}): unknown => ({
  model_name: group,
  litellm_params: { model: `anthropic/${group}`, api_base: apiBase, ...params },
});

function call(proxy: Proxy, model: string, headers: Readonly<Record<string, string>> = callers): Promise<Answer> {
  return ask(proxy.url, JSON.stringify({ model, max_tokens: 1, messages: [] }), { headers });
}

const credentialsOf = (request: UpstreamRequest | undefined): unknown =>
  request?.rawHeaders.filter(([name]) => ["authorization", "x-api-key"].includes(name.toLowerCase()));

describe("the caller's login and key", () => {
  test("reach the vendor's host verbatim, and nothing is added to them", async () => {
    await using proxy = await start([keyless("claude-a", vendor.url)]);
    expect((await call(proxy, "claude-a", { ...callers, "anthropic-beta": "one,two" })).status).toBe(200);
    expect(credentialsOf(vendor.requests[0])).toEqual(Object.entries(callers));
    expect(vendor.requests[0]?.headers["anthropic-beta"]).toBe("one,two");
  });

  test("reach it too for a model of its own that nobody configured", async () => {
    await using proxy = await start([]);
    expect((await call(proxy, "claude-of-tomorrow")).status).toBe(200);
    expect(credentialsOf(vendor.requests[0])).toEqual(Object.entries(callers));
    expect((await call(proxy, "claude-of-tomorrow", {})).status).toBe(401);
    expect(vendor.requests).toHaveLength(1);
  });

  test("do not reach another host, which is not even asked", async () => {
    await using proxy = await start([keyless("stranger", other.url)]);
    const answer = await call(proxy, "stranger");
    expect(answer.status).toBe(401);
    expect(answer.json()).toMatchObject({ type: "error", error: { type: "authentication_error" } });
    expect(answer.text).toContain("forward_client_auth");
    expect(answer.text).not.toContain("sk-ant");
    expect(other.requests).toEqual([]);
    expect(other.connections).toBe(0);
  });

  test.each([
    ["another port of the vendor's address", () => other.url],
    ["the vendor's address under another name", () => vendor.url.replace("127.0.0.1", "localhost")],
    ["the vendor's address over TLS", () => vendor.url.replace("http:", "https:")],
  ])("do not reach %s", async (_what, url) => {
    await using proxy = await start([keyless("lookalike", url())]);
    expect((await call(proxy, "lookalike")).status).toBe(401);
    expect(vendor.requests).toEqual([]);
    expect(other.requests).toEqual([]);
  });

  test("reach another host whose deployment says forward_client_auth", async () => {
    await using proxy = await start([keyless("trusted", other.url, { forward_client_auth: true })]);
    expect((await call(proxy, "trusted")).status).toBe(200);
    expect(credentialsOf(other.requests[0])).toEqual(Object.entries(callers));
  });

  test.each(["https://user:password@gateway.example", "https://gateway.example?key=x", "https://api.anthropic.com@evil.example"])(
    "have no way to a base that hides something: %s",
    async (apiBase) => {
      await expect(start([keyless("odd", apiBase)])).rejects.toThrow("configuration has errors");
    },
  );
});

describe("a deployment's key", () => {
  test("reaches its own origin only, and the caller's credentials do not come along", async () => {
    await using proxy = await start([
      deployment("of-vendor", vendor.url, { api_key: "sk-ant-key-of-vendor" }),
      deployment("of-other", other.url, { api_key: "key-of-other" }),
      deployment("also-other", `${other.url}/base`, { api_key: "key-of-base", forward_client_auth: true }),
    ]);
    other.script(
      rawReply((response) => void response.end('{"some":"answer"}')),
      "*",
    );
    for (const model of ["of-vendor", "of-other", "also-other"]) await call(proxy, model);
    expect(vendor.requests.map(credentialsOf)).toEqual([[["x-api-key", "sk-ant-key-of-vendor"]]]);
    expect(other.requests.map(credentialsOf)).toEqual([[["x-api-key", "key-of-other"]], [["x-api-key", "key-of-base"]]]);
  });

  test("in extra_headers is one, and the caller's are not added", async () => {
    await using proxy = await start([
      keyless("gateway", other.url, { extra_headers: { Authorization: "Bearer gateway-key" }, forward_client_auth: true }),
    ]);
    expect((await call(proxy, "gateway")).status).toBe(200);
    expect(credentialsOf(other.requests[0])).toEqual([["authorization", "Bearer gateway-key"]]);
  });

  test("that is a login token travels as one", async () => {
    await using proxy = await start([deployment("claude-a", vendor.url, { api_key: "sk-ant-oat01-configured" })]);
    await call(proxy, "claude-a", { "anthropic-beta": "one" });
    expect(credentialsOf(vendor.requests[0])).toEqual([["authorization", "Bearer sk-ant-oat01-configured"]]);
    expect(vendor.requests[0]?.headers["anthropic-beta"]).toBe("one,oauth-2025-04-20");
  });

  test("is not chosen by anything a caller can say", async () => {
    await using proxy = await start([deployment("claude-a", other.url)]);
    const body = {
      model: "claude-a",
      max_tokens: 1,
      messages: [],
      api_base: vendor.url,
      base_url: vendor.url,
      api_key: "x",
      extra_headers: { "x-injected": "1" },
      user_config: { api_base: vendor.url },
      litellm_params: { api_base: vendor.url },
    };
    const headers = { "x-litellm-api-base": vendor.url, "x-upstream": vendor.url, "x-forwarded-host": new URL(vendor.url).host };
    await ask(proxy.url, JSON.stringify(body), { headers, path: `/v1/messages?api_base=${encodeURIComponent(vendor.url)}` });
    expect(vendor.requests).toEqual([]);
    expect(other.requests[0]?.headers["host"]).toBe(new URL(other.url).host);
    expect(other.requests[0]?.headers["x-injected"]).toBeUndefined();
  });
});

describe("a redirect", () => {
  const redirect = (status: number, location: string): ReturnType<typeof rawReply> =>
    rawReply((response) => void response.writeHead(status, { location, "content-type": "application/json" }).end("{}"));

  test.each([301, 302, 303, 307, 308])(
    "%i is neither followed nor handed to the client, which would follow it with its key",
    async (status) => {
      await using proxy = await start([deployment("claude-a", other.url), keyless("claude-b", vendor.url)]);
      other.script(redirect(status, `${vendor.url}/v1/messages?key=secret`));
      vendor.script(redirect(status, `${other.url}/v1/messages`));
      for (const model of ["claude-a", "claude-b"]) {
        const answer = await call(proxy, model);
        expect(answer.status).toBe(502);
        expect(answer.headers.location).toBeUndefined();
        expect(answer.json()).toMatchObject({ type: "error", error: { type: "api_error" } });
        expect(answer.text).toContain("api_base");
        expect(answer.text).not.toContain("secret");
      }
      expect([other.requests.length, vendor.requests.length]).toEqual([1, 1]);
    },
  );

  test("to nowhere, or to nonsense, is told as well", async () => {
    await using proxy = await start([deployment("claude-a", other.url)]);
    for (const location of ["", "http://[", "javascript:alert(1)", "/elsewhere"]) {
      other.script(redirect(302, location));
      expect((await call(proxy, "claude-a")).status).toBe(502);
    }
  });

  test("is no answer to a count either", async () => {
    await using proxy = await start([deployment("claude-a", other.url)]);
    other.script(redirect(307, `${vendor.url}/v1/messages/count_tokens`), "POST /v1/messages/count_tokens");
    const answer = await ask(proxy.url, JSON.stringify({ model: "claude-a", messages: [] }), { path: "/v1/messages/count_tokens" });
    expect(answer.status).toBe(502);
    expect(vendor.requests).toEqual([]);
  });
});
