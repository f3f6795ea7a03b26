import { describe, expect, it } from "vitest";

import { createRequestBody } from "../../../core/body/request-body.ts";
import { quirksOf } from "../../../plugins/anthropic-compatible/create-provider.ts";
import { messagesHosts } from "../../../plugins/anthropic-compatible/hosts.ts";
import { anthropicCompatible } from "../../../plugins/anthropic-compatible/index.ts";
import { matchHost } from "../../../sdk/hub/host-match.ts";
import { claudeCodeBody } from "../../helpers/claude-body.ts";
import { address, providerOf, questionOf, targetOf, variablesOf } from "../../helpers/provider.ts";
import { startUpstream } from "../../helpers/upstream.ts";

const providers = anthropicCompatible.setup().providers ?? [];
const provider = (name: string): ReturnType<typeof providerOf> => providerOf(anthropicCompatible, `${name}_anthropic`);

describe("the table", () => {
  it("has each name, host and page once", () => {
    expect(new Set(messagesHosts.map(({ name }) => name)).size).toBe(messagesHosts.length);
    const hosts = providers.flatMap(({ hosts: own = [] }) => own);
    expect(new Set(hosts).size).toBe(hosts.length);
    for (const { page, base } of messagesHosts) {
      expect(page).toMatch(/^https:\/\/[^\s]+$/);
      if (base !== undefined) expect(base).not.toMatch(/\/$|\/v1/);
    }
  });

  it("sends no key in the clear", () => {
    for (const { base } of messagesHosts) {
      if (base !== undefined) expect(base).toMatch(/^https:\/\/|^http:\/\/(?:localhost|127\.0\.0\.1):/);
    }
  });

  it.each([
    ["https://api.deepseek.com/anthropic", "deepseek"],
    ["https://api.deepseek.com/anthropic/v1/messages", "deepseek"],
    ["https://open.bigmodel.cn/api/anthropic/", "zai"],
    ["https://openrouter.ai/api", "openrouter"],
    ["https://api.stepfun.com", "stepfun"],
    ["https://api.deepseek.com", undefined],
    ["https://api.deepseek.com/anthropicx", undefined],
    ["https://api.deepseek.com.evil.example/anthropic", undefined],
    ["http://localhost:11434", undefined],
  ])("knows %s as %s", (base, name) => {
    const found = providers.filter(({ hosts = [] }) => hosts.some((entry) => matchHost(new URL(base), entry) > 0));
    expect(found.map(({ names }) => names[0])).toEqual(name === undefined ? [] : [`${name}_anthropic`]);
  });

  it("tells the longer entry from the shorter one", () => {
    const url = new URL("https://ark.cn-beijing.volces.com/api/coding/v1");
    expect(matchHost(url, "ark.cn-beijing.volces.com/api/coding")).toBeGreaterThan(matchHost(url, "ark.cn-beijing.volces.com"));
  });
});

describe("an address", () => {
  it.each([
    ["deepseek", undefined, "https://api.deepseek.com/anthropic/v1/messages"],
    ["openrouter", undefined, "https://openrouter.ai/api/v1/messages"],
    ["ollama", undefined, "http://localhost:11434/v1/messages"],
    ["ollama", "https://ollama.com/v1/", "https://ollama.com/v1/messages"],
    ["zai", "https://open.bigmodel.cn/api/anthropic/v1/messages", "https://open.bigmodel.cn/api/anthropic/v1/messages"],
    [
      "databricks",
      "https://x.databricks.com/serving-endpoints/anthropic",
      "https://x.databricks.com/serving-endpoints/anthropic/v1/messages",
    ],
  ])("of %s with the base %s", (name, apiBase, url) => {
    const asked = { model: "m", ...(apiBase === undefined ? {} : { apiBase }), search: "?beta=true" };
    expect(address(provider(name), asked).url).toBe(url);
  });

  it("comes from a variable where there is none, or is asked for", () => {
    const variables = variablesOf({ HOSTED_VLLM_API_BASE: "http://gpu:8000/v1" });
    expect(address(provider("hosted_vllm"), { model: "m", variables }).url).toBe("http://gpu:8000/v1/messages");
    expect(() => targetOf(provider("hosted_vllm"), { model: "m" })).toThrow(
      '"hosted_vllm_anthropic" has no address of its own: set api_base or HOSTED_VLLM_API_BASE',
    );
  });

  it("for counting is there where the host counts", () => {
    const counts = (name: string): readonly string[] => provider(name).dialects(questionOf({ model: "m" }), "count_tokens");
    expect(counts("hosted_vllm")).toEqual(["anthropic"]);
    expect(counts("deepseek")).toEqual([]);
    expect(provider("deepseek").dialects(questionOf({ model: "m" }), "embeddings")).toEqual([]);
    const asked = { model: "m", apiBase: "http://gpu:8000", operation: "count_tokens" } as const;
    expect(address(provider("hosted_vllm"), asked).url).toBe("http://gpu:8000/v1/messages/count_tokens");
  });
});

describe("a request of Claude Code", () => {
  const headers = [
    ["anthropic-beta", "claude-code-20250219,context-management-2025-06-27"],
    ["anthropic-version", "2023-06-01"],
    ["user-agent", "claude-cli/2"],
    ["x-app", "cli"],
    ["x-claude-code-session-id", "s"],
    ["x-claude-code-request-class", "main"],
  ] as const;
  const body = { ...JSON.parse(claudeCodeBody({ turns: 1 }).toString()), tags: ["x"] };
  body.messages.splice(1, 0, { role: "system", content: "be brief" });

  it.each(messagesHosts.map((row) => [row.name, row] as const))("reaches %s without what it refuses", (name, row) => {
    const model = "a-model";
    const { json, headers: sent } = address(provider(name), { model, apiBase: row.base ?? "http://host:1", body, headers });
    expect(json).toMatchObject({ model, stream: true, max_tokens: 64_000 });
    const text = JSON.stringify(json);
    expect(text).not.toContain("x-anthropic-billing-header");
    expect(text).not.toContain('"role":"system"');
    expect(text).toContain("<system-reminder>\\nbe brief\\n</system-reminder>");
    for (const field of ["context_management", ...(row.quirks?.refused ?? [])]) expect(json).not.toHaveProperty(field);
    expect(sent).toEqual({
      "user-agent": "claude-cli/2",
      "x-app": "cli",
      "content-type": "application/json",
      "anthropic-version": "2023-06-01",
    });
  });

  it("for a Claude behind a gateway keeps its betas and its system messages", () => {
    const { json, headers: sent } = address(provider("openrouter"), { model: "anthropic/claude-opus-4.8", body, headers });
    expect(sent["anthropic-beta"]).toBe("claude-code-20250219,context-management-2025-06-27");
    expect(json).toHaveProperty("context_management");
    expect(JSON.stringify(json)).toContain('"role":"system"');
    expect(JSON.stringify(json)).not.toContain("x-anthropic-billing-header");
    const row = messagesHosts.find(({ name }) => name === "openrouter");
    expect(row === undefined || quirksOf(row, "anthropic/claude-sonnet-4.6").midSystem).toBe(false);
  });
});

describe("a key", () => {
  const credential = { form: "api-key", value: "k" } as const;

  it.each(messagesHosts.map(({ name, key }) => [name, key] as const))("goes to %s as %s", (name, key) => {
    const header = key === "bearer" ? ["authorization", "Bearer k"] : ["x-api-key", "k"];
    expect(provider(name).authorize([], credential)).toEqual([header]);
    expect(provider(name).authorize([], { form: "bearer", value: "t" })).toEqual([["authorization", "Bearer t"]]);
    expect(provider(name).ownsUrl(new URL("https://api.anthropic.com"))).toBe(false);
  });
});

it("arrives at a host as it was addressed", async () => {
  await using upstream = await startUpstream();
  const asked = { model: "qwen3-coder", apiBase: `${upstream.url}/anthropic`, body: JSON.parse(claudeCodeBody().toString()) };
  const { outbound } = address(provider("ollama"), asked);
  const sent = await fetch(outbound.url, {
    method: "POST",
    headers: provider("ollama")
      .authorize(outbound.headers, { form: "api-key", value: "k" })
      .map(([name, value]) => [name, value]),
    body: Buffer.from(outbound.body),
  });
  await sent.arrayBuffer();
  const [request] = upstream.requestsTo("/anthropic/v1/messages");
  expect(request?.headers["authorization"]).toBe("Bearer k");
  expect(createRequestBody(request?.body ?? Buffer.alloc(0)).value("model")).toBe("qwen3-coder");
});
