import { readdirSync } from "node:fs";

import { describe, expect, test } from "vitest";

import { makeContext, makeRequest, runHook } from "ccproxy/sdk/testing";

import addBetaHeaders from "../../hooks/add-beta-headers.ts";
import captureHeaders from "../../hooks/capture-headers.ts";
import extractSessionId from "../../hooks/extract-session-id.ts";
import injectSystem from "../../hooks/inject-system.ts";
import logToFile from "../../hooks/log-to-file.ts";
import maxTokensClamp from "../../hooks/max-tokens-clamp.ts";
import stripBillingHeader from "../../hooks/strip-billing-header.ts";
import thinkingBudget from "../../hooks/thinking-budget.ts";
import toolFilter from "../../hooks/tool-filter.ts";

const anthropic = { deployment: "d1", group: "opus", model: "claude-opus-5-5", provider: "anthropic" };
const other = { deployment: "d2", group: "cheap", model: "gpt-4o-mini", provider: "openai" };
const uuid = "1f8e4a52-9c0d-4b7e-8a3f-2d6c5b4a3e21";

describe("extract-session-id", () => {
  test.each([
    ["JSON", JSON.stringify({ device_id: "ab12", account_uuid: "acc-1", session_id: uuid }), "acc-1"],
    ["underscores", `user_ab12_account_acc-1_session_${uuid}`, "acc-1"],
    ["JSON without an account", JSON.stringify({ device_id: "ab12", account_uuid: "", session_id: uuid }), undefined],
    ["underscores without an account", `user_ab12_account__session_${uuid}`, undefined],
  ])("reads %s", async (_form, user_id, account) => {
    const { context, request } = await runHook(extractSessionId, "preCall", makeRequest({ metadata: { user_id } }));
    const found = { session_id: uuid, claude_user_hash: "ab12", ...(account !== undefined && { claude_account_id: account }) };
    expect(context.annotations).toEqual(found);
    expect(request.metadata).toEqual({ user_id });
  });

  test.each([undefined, "", "user_1", "{", "[1]", `user_a_account_b_session_${uuid}_session_c`, '{"session_id":7}'])(
    "notes nothing of %s",
    async (user_id) => {
      const request = makeRequest(user_id === undefined ? {} : { metadata: { user_id } });
      expect((await runHook(extractSessionId, "preCall", request)).context.annotations).toEqual({});
    },
  );
});

describe("capture-headers", () => {
  const headers = {
    "User-Agent": "claude-cli/2.1",
    "x-goog-api-key": "hidden",
    "x-team-token": "hidden",
    "proxy-authorization": "hidden",
    "x-forwarded-by": `gateway sk-ant-${"a1b2".repeat(8)}`,
    "x-long": "y".repeat(300),
    "x-empty": "",
  };

  test("notes all headers without credentials", async () => {
    const { context } = await runHook(captureHeaders, "preCall", makeRequest(), { headers });
    expect(context.annotations).toEqual({
      "header_user-agent": "claude-cli/2.1",
      "header_x-goog-api-key": "[redacted]",
      "header_x-team-token": "[redacted]",
      "header_proxy-authorization": "[redacted]",
      "header_x-forwarded-by": "gateway [redacted]",
      "header_x-long": `${"y".repeat(200)}…`,
    });
  });

  test("notes the listed ones only", async () => {
    const notes = async (list: string[]): Promise<object> =>
      (await runHook(captureHeaders, "preCall", makeRequest(), { headers, params: { headers: list } })).context.annotations;
    expect(await notes(["user-AGENT"])).toEqual({ "header_user-agent": "claude-cli/2.1" });
    expect(await notes([])).toEqual({});
  });
});

describe("add-beta-headers", () => {
  test("puts its own before the client's, each once", async () => {
    const options = { target: anthropic, headers: { "anthropic-beta": "b, c ,a" }, params: { betas: ["a", "b"] } };
    const { context } = await runHook(addBetaHeaders, "preUpstream", makeRequest(), options);
    expect(context.headers.get("anthropic-beta")).toBe("a,b,c");
    expect(context.headers.get("anthropic-version")).toBe("2023-06-01");
  });

  test("keeps the client's version", async () => {
    const options = { target: anthropic, headers: { "anthropic-version": "2024-01-01" } };
    expect((await runHook(addBetaHeaders, "preUpstream", makeRequest(), options)).context.headers.get("anthropic-version")).toBe(
      "2024-01-01",
    );
  });

  test("leaves other providers alone", async () => {
    const { context } = await runHook(addBetaHeaders, "preUpstream", makeRequest(), { target: other });
    expect(context.headers.keys()).toEqual([]);
  });
});

describe("max-tokens-clamp", () => {
  test.each([
    ["over the limit of the model", { limits: { "gpt-4o*": 16_384 } }, 16_384],
    ["with a margin", { limits: { "gpt-4o*": 16_384 }, safety_margin: 100 }, 16_284],
    ["over the general limit", { max: 8_000 }, 8_000],
    ["by a name before the general limit", { max: 8_000, limits: { cheap: 9_000 } }, 9_000],
    ["within the limit", { max: 50_000 }, 32_000],
    ["of another model", { limits: { "claude-*": 10 } }, 32_000],
  ])("%s", async (_case, params, wanted) => {
    const { request } = await runHook(maxTokensClamp, "preUpstream", makeRequest({ max_tokens: 32_000 }), { params, target: other });
    expect(request.max_tokens).toBe(wanted);
  });

  test.each([
    [{ type: "enabled" as const, budget_tokens: 20_000 }, 8_000, { type: "enabled", budget_tokens: 7_999 }],
    [{ type: "enabled" as const, budget_tokens: 2_000 }, 8_000, { type: "enabled", budget_tokens: 2_000 }],
    [{ type: "enabled" as const, budget_tokens: 20_000 }, 1_024, { type: "disabled" }],
    [{ type: "adaptive" as const }, 1_024, { type: "adaptive" }],
  ])("thinking %j fits into %i", async (thinking, max, wanted) => {
    const { request } = await runHook(maxTokensClamp, "preUpstream", makeRequest({ max_tokens: 32_000, thinking }), {
      params: { max },
      target: other,
    });
    expect(request.thinking).toEqual(wanted);
  });

  test("a request without max_tokens stays as it is", async () => {
    const { max_tokens: _, ...rest } = makeRequest();
    const { request } = await runHook(maxTokensClamp, "preUpstream", rest, { params: { max: 1 } });
    expect(request).toEqual(rest);
  });
});

describe("thinking-budget", () => {
  const inject = { inject_if_missing: true };
  const result = { type: "tool_result" as const, tool_use_id: "t1", content: "ok" };
  test.each([
    ["fills in a missing budget", { thinking: { type: "enabled" as const } }, {}, { type: "enabled", budget_tokens: 10_000 }],
    [
      "raises a small one",
      { thinking: { type: "enabled" as const, budget_tokens: 100 } },
      { budget_min: 4_000 },
      { type: "enabled", budget_tokens: 4_000 },
    ],
    [
      "stays below max_tokens",
      { max_tokens: 4_096, thinking: { type: "enabled" as const } },
      {},
      { type: "enabled", budget_tokens: 4_095 },
    ],
    ["leaves a good one", { thinking: { type: "enabled" as const, budget_tokens: 5_000 } }, {}, { type: "enabled", budget_tokens: 5_000 }],
    ["leaves adaptive thinking", { thinking: { type: "adaptive" as const } }, inject, { type: "adaptive" }],
    ["leaves thinking that is off", { thinking: { type: "disabled" as const } }, inject, { type: "disabled" }],
    ["switches it on when asked to", {}, { ...inject, budget_default: 3_000 }, { type: "enabled", budget_tokens: 3_000 }],
    ["does not switch it on unasked", {}, {}, undefined],
    ["not where max_tokens leaves no room", { max_tokens: 1_000 }, inject, undefined],
    ["not with a forced tool", { tool_choice: { type: "any" } }, inject, undefined],
    ["not in the middle of a tool call", { messages: [{ role: "user" as const, content: [result] }] }, inject, undefined],
    ["not when the answer has begun", { messages: [{ role: "assistant" as const, content: "{" }] }, inject, undefined],
  ])("%s", async (_case, fields, params, wanted) => {
    const { request } = await runHook(thinkingBudget, "preCall", makeRequest({ max_tokens: 20_000, ...fields }), { params });
    expect(request.thinking).toEqual(wanted);
  });

  test("sets the temperature that goes with thinking, and says what it did", async () => {
    const subject = makeRequest({ max_tokens: 20_000, temperature: 0.2, top_k: 5 });
    const { request, context } = await runHook(thinkingBudget, "preCall", subject, { params: inject });
    expect(request).toMatchObject({ temperature: 1 });
    expect(request).not.toHaveProperty("top_k");
    expect(context.logs).toEqual(["thinking switched on with 10000 tokens"]);
    expect((await runHook(thinkingBudget, "preCall", subject, { params: { ...inject, log_modifications: false } })).context.logs).toEqual(
      [],
    );
  });
});

describe("tool-filter", () => {
  const tools = [{ name: "Bash" }, { name: "mcp__git__log" }, { name: "mcp__git__push", cache_control: { type: "ephemeral" } }];

  test("drops by name and hands the cache mark on", async () => {
    const { request, context } = await runHook(toolFilter, "preUpstream", makeRequest({ tools }), { params: { drop: ["*push"] } });
    expect(request.tools).toEqual([{ name: "Bash" }, { name: "mcp__git__log", cache_control: { type: "ephemeral" } }]);
    expect(context.annotations).toEqual({ tools_dropped: 1 });
  });

  test("keeps the named ones only", async () => {
    const { request } = await runHook(toolFilter, "preUpstream", makeRequest({ tools }), { params: { keep: ["bash"] } });
    expect(request.tools).toEqual([{ name: "Bash", cache_control: { type: "ephemeral" } }]);
  });

  test("drops all for models without tools, and the choice with them", async () => {
    const subject = makeRequest({ tools, tool_choice: { type: "auto" } });
    const { request } = await runHook(toolFilter, "preUpstream", subject, { params: { models: ["gpt-4o-*"] }, target: other });
    expect(request).toEqual(makeRequest());
    const kept = await runHook(toolFilter, "preUpstream", subject, { params: { models: ["gpt-4o-*"] }, target: anthropic });
    expect(kept.request).toEqual(subject);
  });

  test.each([
    ["mcp__git__push", undefined],
    ["Bash", { type: "tool", name: "Bash" }],
  ])("a choice of %s", async (name, wanted) => {
    const subject = makeRequest({ tools, tool_choice: { type: "tool", name } });
    expect((await runHook(toolFilter, "preUpstream", subject, { params: { drop: ["mcp__*"] } })).request.tool_choice).toEqual(wanted);
  });
});

describe("strip-billing-header", () => {
  const billing = { type: "text" as const, text: "x-anthropic-billing-header: cc_version=2.1.330; cc_entrypoint=cli;" };
  const identity = { type: "text" as const, text: "You are a coding agent.", cache_control: { type: "ephemeral" } };

  test.each([
    [other, [billing, identity], {}, [identity]],
    [other, [billing], {}, undefined],
    [other, `${billing.text}\n\nBe kind.`, {}, "Be kind."],
    [other, billing.text, {}, undefined],
    [other, [identity], {}, [identity]],
    [anthropic, [billing, identity], {}, [billing, identity]],
    [anthropic, [billing, identity], { targets: ["opus"] }, [identity]],
    [other, [billing, identity], { targets: ["opus"] }, [billing, identity]],
  ])("for %j, %#", async (target, system, params, wanted) => {
    expect((await runHook(stripBillingHeader, "preUpstream", makeRequest({ system }), { target, params })).request.system).toEqual(wanted);
  });
});

describe("inject-system", () => {
  const block = { type: "text" as const, text: "Be kind.", cache_control: { type: "ephemeral" } };
  const added = { type: "text", text: "Be brief." };

  test.each([
    ["no prompt", undefined, {}, "Be brief."],
    ["a text", "Be kind.", {}, "Be kind.\n\nBe brief."],
    ["a text, in front", "Be kind.", { position: "start" }, "Be brief.\n\nBe kind."],
    ["blocks", [block], {}, [block, added]],
    ["blocks, in front", [block], { position: "start" }, [added, block]],
    ["a text that has it", "Be kind. Be brief.", {}, "Be kind. Be brief."],
    ["another target", "Be kind.", { targets: ["opus"] }, "Be kind."],
  ])("%s", async (_case, system, params, wanted) => {
    const subject = makeRequest(system === undefined ? {} : { system });
    const { request } = await runHook(injectSystem, "preUpstream", subject, { target: other, params: { text: "Be brief.", ...params } });
    expect(request.system).toEqual(wanted);
  });

  test("says what it needs", async () => {
    await expect(runHook(injectSystem, "preUpstream", makeRequest())).rejects.toThrow("params.text is missing; wanted a text.");
    await expect(runHook(injectSystem, "preUpstream", makeRequest(), { params: { text: "x", position: "top" } })).rejects.toThrow(
      'params.position is "top"; wanted one of start, end.',
    );
  });
});

describe("log-to-file", () => {
  const completion = {
    outcome: "completed" as const,
    status: 200,
    usage: { inputTokens: 10, outputTokens: 5, cacheReadTokens: undefined, cacheWriteTokens: undefined },
    costUsd: 0.01,
    firstByteMs: 5,
    totalMs: 20.4,
    attempts: 1,
  };
  const options = { grants: ["kv"], target: anthropic, label: "think", session: "s1", now: Date.UTC(2026, 0, 2) };

  test("keeps a line for each request", async () => {
    const context = makeContext(options);
    await runHook(logToFile, "onComplete", completion, { context });
    await runHook(logToFile, "onComplete", { ...completion, costUsd: null }, { context });
    expect(context.stored["requests"]).toMatchObject([
      {
        time: "2026-01-02T00:00:00.000Z",
        session: "s1",
        label: "think",
        group: "opus",
        target: "claude-opus-5-5",
        cost_usd: 0.01,
        total_ms: 20,
      },
      { cost_usd: null },
    ]);
  });

  test("keeps a list for each day", async () => {
    const { context } = await runHook(logToFile, "onComplete", completion, { ...options, params: { key: "all", daily: true } });
    expect(Object.keys(context.stored)).toEqual(["all-2026-01-02"]);
  });

  test("needs the grant", async () => {
    await expect(runHook(logToFile, "onComplete", completion)).rejects.toThrow("needs the grant kv");
  });
});

test("every hook and rule refuses parameters it does not know", async () => {
  const files = readdirSync(new URL("../../hooks", import.meta.url)).filter((file) => file.endsWith(".ts"));
  expect(files.length).toBeGreaterThanOrEqual(14);
  for (const file of files) {
    const { default: definition } = await import(new URL(`../../hooks/${file}`, import.meta.url).href);
    expect(() => definition.params({ nonsense: 1 }), file).toThrow("params.nonsense is not known");
    expect(definition.summary, file).toMatch(/./);
  }
});
