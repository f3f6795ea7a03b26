import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { ask } from "../../helpers/client.ts";
import { deployment, startProxy } from "../../helpers/proxy.ts";
import { rawReply } from "../../helpers/replies.ts";
import { requestRaw, requestText } from "../../helpers/raw-http.ts";
import { type Upstream, startUpstream } from "../../helpers/upstream.ts";
import { vendorPlugins } from "../../helpers/vendor.ts";

let vendor: Upstream;
beforeEach(async () => {
  vendor = await startUpstream();
});
afterEach(() => vendor.close());

const body = (model: string): string => JSON.stringify({ model, max_tokens: 1, messages: [] });

describe("what a caller names", () => {
  test.each([
    "claude-\ud800",
    "claude-\udfff-x",
    "claude-é",
    "claude-日本",
    "claude-\r\nset-cookie: a=b",
    "claude-\u0000",
    "claude-\u{1f600}",
    "claude- x ",
  ])("a model of any characters is answered, recorded once, and puts no header of its own: %j", async (model) => {
    await using proxy = await startProxy({ plugins: vendorPlugins(vendor.url) });
    const bytes = body(model);
    const text = requestText(proxy.port, "/v1/messages", {
      method: "POST",
      headers: ["content-type: application/json", "x-api-key: sk-ant-api03-x"],
      body: Buffer.from(bytes).toString("latin1"),
    });
    const answer = await requestRaw(proxy.port, text);
    expect(answer.status).toBe(200);
    expect(answer.headers["x-ccproxy-model"]).toMatch(/^[\x20-\x7e]+$/);
    expect(answer.headers["set-cookie"]).toBeUndefined();
    expect(vendor.requests[0]?.body.toString("utf8")).toBe(bytes);
    await proxy.stop();
    const records = (await proxy.logLines()).filter(({ msg }) => msg === "request");
    expect(records).toHaveLength(1);
    expect(records[0]).toMatchObject({ outcome: "completed", status: 200 });
  });

  test("a model name beyond all measure is refused, and neither kept nor repeated", async () => {
    await using proxy = await startProxy({ plugins: vendorPlugins(vendor.url) });
    const answer = await ask(proxy.url, body(`claude-${"x".repeat(1_000_000)}`), { headers: { "x-api-key": "sk-ant-api03-x" } });
    expect(answer.status).toBe(400);
    expect(answer.json()).toMatchObject({ type: "error", error: { type: "invalid_request_error" } });
    expect(answer.text.length).toBeLessThan(500);
    expect(vendor.requests).toEqual([]);
    await proxy.stop();
    expect((await proxy.logText()).length).toBeLessThan(10_000);
  });

  test("a session id beyond all measure is in no log line", async () => {
    await using proxy = await startProxy({ plugins: vendorPlugins(vendor.url) });
    const request = { model: "claude-x", messages: [], metadata: { user_id: JSON.stringify({ session_id: "x".repeat(1_000_000) }) } };
    expect((await ask(proxy.url, JSON.stringify(request), { headers: { "x-api-key": "sk-ant-api03-x" } })).status).toBe(200);
    await proxy.stop();
    expect((await proxy.logText()).length).toBeLessThan(10_000);
  });
});

describe("what a configuration names", () => {
  test("labels and models of any characters make one header each", async () => {
    const group = "späh\r\nx-injected: 1";
    await using proxy = await startProxy({
      config: {
        model_list: [
          {
            model_name: group,
            litellm_params: { model: "anthropic/mod\r\nx-injected: 2", api_base: vendor.url, api_key: "sk-key" },
          },
        ],
      },
      ccproxy: { rules: [{ name: group, rule: "ccproxy.rules.MatchModelRule", params: [{ model_name: "claude-x" }] }] },
    });
    const answer = await ask(proxy.url, body("claude-x"));
    expect(answer.status).toBe(200);
    expect(answer.headers).toMatchObject({
      "x-ccproxy-label": encodeURIComponent(group),
      "x-ccproxy-model": encodeURIComponent("mod\r\nx-injected: 2"),
    });
    expect(answer.headers["x-injected"]).toBeUndefined();
    expect(vendor.requests[0]?.headers["x-injected"]).toBeUndefined();
    expect(vendor.requests[0]?.json()).toMatchObject({ model: "mod\r\nx-injected: 2" });
  });

  test.each([
    ["a line break in a value", { "x-team": "a\r\nx-injected: 1" }],
    ["a line feed in a value", { "x-team": "a\nb" }],
    ["a NUL in a value", { "x-team": "a\u0000b" }],
    ["a character above ASCII", { "x-team": "späh" }],
    ["a colon in a name", { "x-team: a\r\nx-injected": "1" }],
    ["a space in a name", { "x team": "1" }],
    ["an empty name", { "": "1" }],
    ["the host", { Host: "evil.example" }],
    ["the length", { "Content-Length": "1" }],
    ["the coding", { "transfer-encoding": "chunked" }],
  ])("extra_headers with %s are an error of the configuration", async (_what, extra) => {
    const entry = deployment("claude-x", vendor.url, { extra_headers: extra });
    await expect(startProxy({ config: { model_list: [entry] } })).rejects.toThrow("configuration has errors");
  });

  test.each(["key\nwith-a-line-break", "key with spaces", "schlüssel", "key\u0000"])(
    "so is an api_key that no header can hold: %j",
    async (key) => {
      const entry = deployment("claude-x", vendor.url, { api_key: key });
      const refused = await startProxy({ config: { model_list: [entry] } }).catch((error: unknown) => error);
      expect(refused).toMatchObject({ name: "StartError" });
      expect(JSON.stringify(refused)).not.toContain(key.slice(0, 5));
    },
  );

  test("a key from the environment may end with a line break, as files do", async () => {
    await using proxy = await startProxy({
      config: {
        model_list: [deployment("claude-x", vendor.url, { api_key: "os.environ/TEST_KEY" })],
        general_settings: { master_key: "os.environ/TEST_MASTER" },
      },
      environment: { TEST_KEY: "sk-ant-from-file\n", TEST_MASTER: "sk-master-from-file\n" },
    });
    expect((await ask(proxy.url, body("claude-x"), { headers: { "x-api-key": "sk-master-from-file" } })).status).toBe(200);
    expect(vendor.requests[0]?.headers["x-api-key"]).toBe("sk-ant-from-file");
  });

  test("extra headers take the place of the caller's, those of the same name once", async () => {
    const entry = deployment("claude-x", vendor.url, { extra_headers: { "X-Team": "ours", "User-Agent": "agent/1" } });
    await using proxy = await startProxy({ config: { model_list: [entry] }, plugins: vendorPlugins(vendor.url) });
    await ask(proxy.url, body("claude-x"), { headers: { "x-team": "theirs", "user-agent": "client/1" } });
    const names = vendor.requests[0]?.rawHeaders.filter(([name]) => ["x-team", "user-agent"].includes(name.toLowerCase()));
    expect(names).toEqual([
      ["x-team", "ours"],
      ["user-agent", "agent/1"],
    ]);
  });
});

describe("what an upstream names", () => {
  test("nothing in its headers passes for ours, or stays in a browser", async () => {
    vendor.script(
      rawReply((response) => {
        response.writeHead(200, {
          "content-type": "application/json",
          "request-id": "req_theirs",
          "set-cookie": ["a=b", "c=d"],
          "x-ccproxy-label": "spoofed",
          "X-CCProxy-Model": "spoofed",
          "x-ccproxy-request-id": "spoofed",
          "access-control-allow-origin": "*",
          connection: "keep-alive, x-hop",
          "x-hop": "1",
          "keep-alive": "timeout=5",
          "proxy-authenticate": "Basic",
          "x-kept": "caf\u00e9",
        });
        response.end('{"type":"message"}');
      }),
    );
    await using proxy = await startProxy({ config: { model_list: [deployment("claude-x", vendor.url)] } });
    const answer = await ask(proxy.url, body("claude-x"));
    expect(answer.rawHeaders.join("\n")).not.toContain("spoofed");
    expect(answer.headers).toMatchObject({
      "x-ccproxy-label": "default",
      "x-ccproxy-model": "claude-x",
      "request-id": "req_theirs",
      "x-kept": "caf\u00e9",
    });
    for (const name of ["set-cookie", "access-control-allow-origin", "x-hop", "proxy-authenticate"])
      expect(answer.headers[name]).toBeUndefined();
  });
});

describe("what travels to an upstream", () => {
  const sent = [
    "anthropic-version: 2023-06-01",
    "Anthropic-Beta: one-2025-01-01,two",
    "anthropic-beta:  three ",
    "X-Stainless-Retry-Count: 0",
    "user-agent: claude-cli/2.1.330 (external, sdk-cli)",
    "x-claude-code-session-id: session-1",
    "x-claude-code-request-class: main",
    "x-claude-code-agent-id: agent-1",
    "x-claude-code-prev-tool-durations: 1,2",
    "x-ccproxy-anything: 1",
    "x-custom: 1",
    "cookie: a=b",
    "referer: http://127.0.0.1/",
    "sec-fetch-mode: cors",
    "te: trailers",
    "x-hop: 1",
    "connection: close, x-hop",
    "x-forwarded-for: 1.2.3.4",
    "x-forwarded-host: evil.example",
    "x-forwarded-proto: https",
    "x-real-ip: 1.2.3.4",
    "forwarded: for=1.2.3.4",
    "via: 1.1 other",
    "accept-encoding: gzip, br",
    "expect: 100-continue",
  ];
  const ours = new Set(["host", "connection", "content-length", "x-api-key"]);

  async function received(own: boolean): Promise<readonly (readonly [string, string])[]> {
    const plugins = own ? { plugins: vendorPlugins(vendor.url) } : {};
    await using proxy = await startProxy({ config: { model_list: [deployment("claude-x", vendor.url)] }, ...plugins });
    const text = requestText(proxy.port, "/v1/messages?beta=true", {
      method: "POST",
      headers: ["content-type: application/json", ...sent],
      body: body("claude-x"),
    });
    expect((await requestRaw(proxy.port, text.replace("expect: 100-continue\r\n", ""))).status).toBe(200);
    expect(vendor.requests[0]?.url).toBe("/v1/messages?beta=true");
    return (vendor.requests[0]?.rawHeaders ?? []).filter(([name]) => !ours.has(name.toLowerCase()));
  }
  const protocol = [
    ["content-type", "application/json"],
    ["anthropic-version", "2023-06-01"],
    ["anthropic-beta", "one-2025-01-01,two"],
    ["anthropic-beta", "three"],
    ["x-stainless-retry-count", "0"],
    ["user-agent", "claude-cli/2.1.330 (external, sdk-cli)"],
  ];

  test("to the vendor: all that is end to end, session and agent, and no hint", async () => {
    expect(await received(true)).toEqual([
      ...protocol,
      ["x-claude-code-session-id", "session-1"],
      ["x-claude-code-agent-id", "agent-1"],
      ["x-custom", "1"],
      ["accept-encoding", "identity"],
    ]);
  });

  test("to others: what the protocol needs", async () => {
    expect(await received(false)).toEqual([...protocol, ["accept-encoding", "identity"]]);
  });
});
