import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { builtinPlugins } from "../../../plugins/index.ts";
import { createAnthropicPlugin } from "../../../plugins/anthropic/index.ts";
import { rules } from "../../../plugins/rules/index.ts";
import { strategies } from "../../../plugins/strategies/index.ts";
import { type Answer, ask } from "../../helpers/client.ts";
import { deployment, startProxy, type Proxy } from "../../helpers/proxy.ts";
import { jsonReply } from "../../helpers/replies.ts";
import { startUpstream, type Upstream } from "../../helpers/upstream.ts";

let upstream: Upstream;
beforeEach(
  async () => void (upstream = await startUpstream((request) => jsonReply({ served: (request.json() as { model: string }).model }))),
);
afterEach(() => upstream.close());

interface Body {
  readonly model?: unknown;
  readonly thinking?: unknown;
}

function post(proxy: Proxy, body: Body, headers: Readonly<Record<string, string>> = {}): Promise<Answer> {
  return ask(proxy.url, JSON.stringify({ max_tokens: 5, messages: [], ...body }), { headers });
}

/** Where a request went, as the response headers say it, and the model that the upstream was asked for. */
async function route(proxy: Proxy, body: Body): Promise<readonly unknown[]> {
  const { status, headers, text } = await post(proxy, body);
  const served: unknown = status === 200 ? JSON.parse(text).served : JSON.parse(text).error.type;
  return [status, headers["x-ccproxy-label"], headers["x-ccproxy-deployment"], headers["x-ccproxy-model"], served];
}

const named = (group: string, id: string, params: Readonly<Record<string, unknown>> = {}): unknown => ({
  ...(deployment(group, upstream.url, params) as object),
  model_info: { id },
});
const thinkRule = { name: "think", rule: "ccproxy.rules.ThinkingRule" };
const thinking = { thinking: { type: "enabled", budget_tokens: 1024 } };

describe("a label", () => {
  it("leads to its deployment, as the headers say", async () => {
    await using proxy = await startProxy({
      config: { model_list: [named("think", "dep-think", { model: "anthropic/big" }), named("other", "dep-other")] },
      ccproxy: { rules: [thinkRule] },
    });
    expect(await route(proxy, { model: "other", ...thinking })).toEqual([200, "think", "dep-think", "big", "big"]);
    expect(await route(proxy, { model: "other" })).toEqual([200, "default", "dep-other", "other", "other"]);
  });

  it("of an entry that names another group leads to that group's deployment", async () => {
    await using proxy = await startProxy({
      config: { model_list: [{ model_name: "think", litellm_params: { model: "big" } }, named("big", "dep-big")] },
      ccproxy: { rules: [thinkRule] },
    });
    expect(await route(proxy, { model: "x", ...thinking })).toEqual([200, "think", "dep-big", "big", "big"]);
  });
});

describe("a request that no rule matches", () => {
  const cases: readonly (readonly [boolean | undefined, boolean, string])[] = [
    [true, true, "asked"],
    [true, false, "asked"],
    [false, true, "default"],
    [undefined, true, "default"],
    [undefined, false, "asked"],
  ];
  it.each(cases)(
    "with default_model_passthrough %s and an entry default: %s goes to the model %s",
    async (passthrough, hasDefault, model) => {
      await using proxy = await startProxy({
        config: { model_list: [named("asked", "dep-asked"), ...(hasDefault ? [named("default", "dep-default")] : [])] },
        ccproxy: passthrough === undefined ? {} : { default_model_passthrough: passthrough },
      });
      expect(await route(proxy, { model: "asked" })).toEqual([200, "default", `dep-${model}`, model, model]);
    },
  );

  it("with default_model_passthrough false and no entry default cannot even be configured", async () => {
    await expect(
      startProxy({ config: { model_list: [named("asked", "dep")] }, ccproxy: { default_model_passthrough: false } }),
    ).rejects.toMatchObject({ faults: [{ severity: "error", message: expect.stringContaining('no entry "default"') }] });
  });
});

describe("a model", () => {
  it("is found by group, alias, deployment id and wildcard, in this order", async () => {
    await using proxy = await startProxy({
      config: {
        model_list: [
          named("exact", "dep-exact"),
          named("by-id", "dep-by-id", { model: "anthropic/behind-id" }),
          named("anthropic/claude-*", "dep-wild", { model: "anthropic/claude-*" }),
        ],
        router_settings: { model_group_alias: { nickname: "exact" } },
      },
    });
    expect(await route(proxy, { model: "exact" })).toEqual([200, "default", "dep-exact", "exact", "exact"]);
    expect(await route(proxy, { model: "nickname" })).toEqual([200, "default", "dep-exact", "exact", "exact"]);
    expect(await route(proxy, { model: "dep-by-id" })).toEqual([200, "default", "dep-by-id", "behind-id", "behind-id"]);
    expect(await route(proxy, { model: "anthropic/claude-x" })).toEqual([200, "default", "dep-wild", "claude-x", "claude-x"]);
    expect(await route(proxy, { model: "claude-y" })).toEqual([200, "default", "dep-wild", "claude-y", "claude-y"]);
  });

  it("nobody configured goes to its vendor, with the caller's own login", async () => {
    const anthropic = createAnthropicPlugin({ apiBase: upstream.url, ownsUrl: ({ origin }) => origin === upstream.url });
    await using proxy = await startProxy({ config: { model_list: [] }, plugins: [anthropic, rules, strategies] });
    const answer = await post(proxy, { model: "claude-z" }, { "x-api-key": "sk-ant-callers-own" });
    expect([answer.status, answer.headers["x-ccproxy-model"], upstream.requests[0]?.headers["x-api-key"]]).toEqual([
      200,
      "claude-z",
      "sk-ant-callers-own",
    ]);
  });

  it("nobody knows is a 404 that says what there is", async () => {
    await using proxy = await startProxy({ config: { model_list: [named("known", "dep")] } });
    const answer = await post(proxy, { model: "nobody-unknown" });
    expect([answer.status, answer.json()]).toMatchObject([
      404,
      { error: { type: "not_found_error", message: expect.stringMatching(/nobody-unknown.*known/) } },
    ]);
    expect(upstream.requests).toEqual([]);
  });

  it("of a provider that is not served here is a 501 that is not to be tried again", async () => {
    const entry = { model_name: "gemini", litellm_params: { model: "nobody/gemini-3-pro", api_key: "k" } };
    await using proxy = await startProxy({ config: { model_list: [entry] } });
    const answer = await post(proxy, { model: "gemini" });
    expect([answer.status, answer.headers["x-should-retry"]]).toEqual([501, "false"]);
    expect(answer.json()).toMatchObject({ error: { message: expect.stringContaining("nobody/gemini-3-pro") } });
  });

  it.each([undefined, "", null, 7, ["m"], { name: "m" }])("%j is a 400 that says what is wanted", async (model) => {
    await using proxy = await startProxy({ config: { model_list: [named("known", "dep")] } });
    const answer = await post(proxy, { model });
    expect([answer.status, answer.json()]).toMatchObject([
      400,
      { error: { type: "invalid_request_error", message: expect.stringContaining('"model"') } },
    ]);
  });

  it("that is missing does not matter where a rule decides", async () => {
    await using proxy = await startProxy({
      config: { model_list: [named("think", "dep")] },
      ccproxy: { rules: [thinkRule] },
      plugins: builtinPlugins,
    });
    expect(await route(proxy, thinking)).toEqual([200, "think", "dep", "think", "think"]);
  });
});
