import { writeFile } from "node:fs/promises";
import path from "node:path";

import { describe, expect, test } from "vitest";

import { replyOf } from "ccproxy/sdk/testing";
import type { ReplyEvent } from "ccproxy/sdk";

import { claudeCodeBody } from "../helpers/claude-body.ts";
import { deployment, type Proxy, startProxy } from "../helpers/proxy.ts";
import { blocksReply } from "../helpers/replies.ts";
import { startUpstream, type Upstream } from "../helpers/upstream.ts";

const github = "ghp_aB3dE5gH7jK9mN1pQ2rS4tU6vW8xY0zA1bC3";
const placeholder = /SECRET_GITHUB_TOKEN_[0-9a-f]{16}/;

function proxyFor(upstream: Upstream, ccproxy: object): Promise<Proxy> {
  const groups = ["claude-sonnet-5-5", "deep"].map((group) => deployment(group, upstream.url));
  return startProxy({ config: { model_list: groups }, ccproxy });
}

function send(proxy: Proxy, fields: object): Promise<Response> {
  return fetch(`${proxy.url}/v1/messages`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ model: "claude-sonnet-5-5", max_tokens: 100, messages: [{ role: "user", content: "hello" }], ...fields }),
  });
}

/** Answers with the first user text as text and as argument of a tool call. */
function echoing(): Promise<Upstream> {
  return startUpstream((request) => {
    const { messages } = request.json() as { messages: { content: string }[] };
    const said = messages[0]?.content ?? "";
    return blocksReply([
      { type: "text", text: `You said ${said}.` },
      { type: "tool_use", id: "t1", name: "Bash", input: { command: said } },
    ]);
  });
}

async function contentOf(response: Response): Promise<unknown> {
  const text = await response.text();
  if (!response.headers.get("content-type")?.startsWith("text/event-stream")) return (JSON.parse(text) as { content: unknown }).content;
  const events = [...text.matchAll(/^data: (.*)$/gm)].map(([, data = ""]): ReplyEvent => JSON.parse(data));
  return replyOf(events).content;
}

describe("redact_secrets in a proxy", () => {
  test.each([
    ["a plain reply", false],
    ["a stream", true],
  ])("in %s secrets come back, in tool calls with the grant only; the same on every turn", async (_case, stream) => {
    await using upstream = await echoing();
    for (const grants of [["reply:tools"], []]) {
      await using proxy = await proxyFor(upstream, { hooks: [{ hook: "ccproxy.hooks.redact_secrets", grants }] });
      const user = { role: "user", content: `use ${github}` };
      const content = await contentOf(await send(proxy, { stream, messages: [user] }));
      const first = upstream.requests.at(-1)?.body.toString() ?? "";
      const name = placeholder.exec(first)?.[0] ?? "none";
      expect(first).toContain(`"use ${name}"`);
      const command = grants.length > 0 ? `use ${github}` : `use ${name}`;
      expect(content).toMatchObject([
        { type: "text", text: `You said use ${github}.` },
        { type: "tool_use", name: "Bash", input: { command } },
      ]);

      const result = { role: "user", content: [{ type: "tool_result", tool_use_id: "t1", content: github }] };
      await (await send(proxy, { stream, messages: [user, { role: "assistant", content }, result] })).text();
      const second = upstream.requests.at(-1)?.body.toString() ?? "";
      expect(second).not.toContain(github);
      const turn = first.slice(first.indexOf('{"role":"user"'), first.lastIndexOf("]"));
      expect(second).toContain(turn);
    }
  });

  test("a conversation of two megabytes", async () => {
    await using upstream = await startUpstream();
    await using proxy = await proxyFor(upstream, { hooks: [{ hook: "ccproxy.hooks.redact_secrets", slice_ms: 1000 }] });
    const block = "const value = compute(input, options); // https://example.com\n".repeat(40);
    const messages = Array.from({ length: 800 }, (_, index) => ({ role: index % 2 === 0 ? "user" : "assistant", content: block + index }));
    const response = await send(proxy, { messages: [...messages, { role: "user", content: github }] });
    expect(response.status).toBe(200);
    expect(upstream.requests.at(-1)?.body.toString().slice(-200)).toMatch(placeholder);
  });

  test("what it does not touch stays byte for byte", async () => {
    await using upstream = await startUpstream();
    await using proxy = await proxyFor(upstream, { hooks: ["ccproxy.hooks.redact_secrets"] });
    const body = `{ "model":"claude-sonnet-5-5" , "max_tokens":1e2,\t"messages":[ {"role" : "user","content":"\\u0061 ${github}"},{"content":[{"type":"text","text":"ä\\/"}],"role":"user"} ], "x":{"b":1,"a":2.50} }`;
    const response = await fetch(`${proxy.url}/v1/messages`, { method: "POST", headers: { "content-type": "application/json" }, body });
    expect(response.status).toBe(200);
    const sent = upstream.requests.at(-1)?.body.toString() ?? "";
    expect(sent.replace(placeholder, github)).toBe(body.replace("\\u0061", "a"));
  });
});

describe("others in a proxy", () => {
  test("pii_guard refuses, and names no value", async () => {
    await using upstream = await startUpstream();
    await using proxy = await proxyFor(upstream, { hooks: ["ccproxy.hooks.pii_guard"] });
    const response = await send(proxy, { messages: [{ role: "user", content: "card 4111 1111 1111 1111" }] });
    expect(response.status).toBe(400);
    const text = await response.text();
    expect(text).toContain("credit_card (1), in messages[0].content");
    expect(text).not.toContain("4111");
    expect(upstream.requests).toEqual([]);
  });

  test("the way through several hooks and rules, in the order of the list", async () => {
    await using upstream = await startUpstream();
    await using proxy = await proxyFor(upstream, {
      hooks: [
        "ccproxy.hooks.extract_session_id",
        "ccproxy.hooks.capture_headers",
        { hook: "ccproxy.hooks.thinking_budget", params: { inject_if_missing: true } },
        "ccproxy.hooks.add_beta_headers",
        { hook: "ccproxy.hooks.tool_filter", params: { drop: ["Web*"] } },
        { hook: "ccproxy.hooks.max_tokens_clamp", params: { max: 2000 } },
        { hook: "ccproxy.hooks.strip_billing_header", params: { targets: ["deep"] } },
        { hook: "ccproxy.hooks.inject_system", params: { text: "Be brief." } },
        { hook: "ccproxy.hooks.log_to_file", grants: ["kv"] },
      ],
      rules: [
        {
          name: "claude-sonnet-5-5",
          rule: "ccproxy.rules.TimeOfDayRule",
          params: { start: "00:00", end: "00:01", days: [], tz: "Europe/Berlin" },
        },
        { name: "claude-sonnet-5-5", rule: "ccproxy.rules.AbRule", params: { percent: 0 } },
        { name: "deep", rule: "ccproxy.rules.StickyRule", params: { labels: { deep: ["/deep"] } } },
        { name: "deep", rule: "ccproxy.rules.KeywordRule", params: { words: ["never"] } },
      ],
    });
    const system = [
      { type: "text", text: "x-anthropic-billing-header: cc_version=2;" },
      { type: "text", text: "Be kind.", cache_control: { type: "ephemeral" } },
    ];
    const metadata = { user_id: JSON.stringify({ device_id: "d", account_uuid: "a", session_id: "s-1" }) };
    const fields = { max_tokens: 5000, system, metadata, tools: [{ name: "Bash" }, { name: "WebSearch" }] };
    const response = await send(proxy, { ...fields, messages: [{ role: "user", content: "/deep why" }] });
    expect(response.status).toBe(200);
    expect(response.headers.get("x-ccproxy-label")).toBe("deep");
    const [sent] = upstream.requests;
    expect(sent?.headers["anthropic-beta"]).toMatch(/^oauth-2025-04-20,/);
    expect(sent?.json()).toMatchObject({
      model: "deep",
      max_tokens: 2000,
      thinking: { type: "enabled", budget_tokens: 1999 },
      system: [system[1], { type: "text", text: "Be brief." }],
      tools: [{ name: "Bash" }],
    });
    // It stays with its label.
    const later = await send(proxy, { ...fields, messages: [{ role: "user", content: "and now?" }] });
    expect(later.headers.get("x-ccproxy-label")).toBe("deep");
    await proxy.stop();
    const line = (await proxy.logLines()).find(({ msg }) => msg === "request");
    expect(line?.["annotations"]).toMatchObject({ session_id: "s-1", claude_user_hash: "d", claude_account_id: "a", tools_dropped: 1 });
  });

  test("a body of Claude Code passes all hooks that have nothing to change byte for byte", async () => {
    await using upstream = await startUpstream();
    await using proxy = await proxyFor(upstream, {
      hooks: [
        "extract_session_id",
        "capture_headers",
        "redact_secrets",
        "tool_filter",
        "max_tokens_clamp",
        "strip_billing_header",
        "thinking_budget",
        "pii_guard",
      ].map((name) => `ccproxy.hooks.${name}`),
    });
    const body = claudeCodeBody({ model: "claude-sonnet-5-5" });
    const response = await fetch(`${proxy.url}/v1/messages`, { method: "POST", headers: { "content-type": "application/json" }, body });
    expect(response.status).toBe(200);
    expect(upstream.requests.at(-1)?.body.equals(Buffer.from(body))).toBe(true);
  });

  test("wrong parameters are an error at their entry, and the last good configuration stays", async () => {
    await using upstream = await startUpstream();
    await using proxy = await proxyFor(upstream, {});
    await writeFile(
      path.join(proxy.directory, "ccproxy.yaml"),
      "ccproxy:\n  hooks:\n    - hook: ccproxy.hooks.inject_system\n      params: { txt: x }\n",
    );
    await proxy.reload();
    const status = (await (await fetch(`${proxy.url}/ccproxy/status`, { headers: { "x-ccproxy-token": proxy.controlToken } })).json()) as {
      config: { rejected: { faults: { file: string; line: number; message: string }[] } };
    };
    expect(status.config.rejected.faults).toMatchObject([
      {
        file: expect.stringMatching(/ccproxy\.yaml$/),
        line: 3,
        message: expect.stringContaining("params.txt is not known; known: text, position, targets."),
      },
    ]);
    expect((await send(proxy, {})).status).toBe(200);
  });
});
