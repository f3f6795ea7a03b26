import { describe, expect, it } from "vitest";

import { azure } from "../../../plugins/azure/index.ts";
import { claudeCodeBody } from "../../helpers/claude-body.ts";
import { address, type Asked, noVariables, providerOf, questionOf, targetOf, variablesOf } from "../../helpers/provider.ts";

const openai = providerOf(azure, "azure");
const foundry = providerOf(azure, "azure_ai");
const chat = "openai-chat";
const responses = "openai-responses";
const host = "https://res.openai.azure.com";

describe("the address of OpenAI's models", () => {
  const cases: readonly (readonly [string, Partial<Asked>, string])[] = [
    ["the host alone", { apiBase: host }, `${host}/openai/v1/chat/completions`],
    ["a slash behind it", { apiBase: `${host}/` }, `${host}/openai/v1/chat/completions`],
    ["the API's own path", { apiBase: `${host}/openai/v1/` }, `${host}/openai/v1/chat/completions`],
    ["half of that path", { apiBase: `${host}/openai` }, `${host}/openai/v1/chat/completions`],
    ["the whole address", { apiBase: `${host}/openai/v1/chat/completions` }, `${host}/openai/v1/chat/completions`],
    ["a gateway before it", { apiBase: "https://apim.example/team" }, "https://apim.example/team/openai/v1/chat/completions"],
    ["Responses", { apiBase: host, dialect: responses }, `${host}/openai/v1/responses`],
    ["embeddings", { apiBase: host, operation: "embeddings" }, `${host}/openai/v1/embeddings`],
    ["version v1", { apiBase: host, params: { api_version: "v1" } }, `${host}/openai/v1/chat/completions`],
    ["version preview", { apiBase: host, params: { api_version: "preview" } }, `${host}/openai/v1/chat/completions?api-version=preview`],
    [
      "a version of a date",
      { apiBase: host, params: { api_version: "2024-10-21" } },
      `${host}/openai/deployments/my-gpt/chat/completions?api-version=2024-10-21`,
    ],
    [
      "a version of a date, Responses",
      { apiBase: host, dialect: responses, params: { api_version: "2025-04-01-preview" } },
      `${host}/openai/responses?api-version=2025-04-01-preview`,
    ],
    [
      "a version of a date, embeddings",
      { apiBase: host, operation: "embeddings", params: { api_version: "2024-10-21" } },
      `${host}/openai/deployments/my-gpt/embeddings?api-version=2024-10-21`,
    ],
    [
      "a deployment in the base",
      { apiBase: `${host}/openai/deployments/theirs` },
      `${host}/openai/deployments/theirs/chat/completions?api-version=2024-10-21`,
    ],
    [
      "the whole address of the older form",
      { apiBase: `${host}/openai/deployments/theirs/chat/completions?api-version=2025-01-01-preview` },
      `${host}/openai/deployments/theirs/chat/completions?api-version=2025-01-01-preview`,
    ],
  ];

  it.each(cases)("is right for %s", (_, asked, url) => {
    const sent = address(openai, { model: "my-gpt", dialect: chat, ...asked });
    expect(sent.url).toBe(url);
    expect(sent.json).toEqual({ model: "my-gpt", messages: [] });
  });

  it("comes from a variable, and says what to set where there is none", () => {
    const variables = variablesOf({ AZURE_API_BASE: host });
    expect(address(openai, { model: "my-gpt", variables }).url).toBe(`${host}/openai/v1/chat/completions`);
    expect(() => targetOf(openai, { model: "my-gpt" })).toThrow("set api_base or AZURE_API_BASE to https://<resource>.openai.azure.com");
    expect(openai.check?.(questionOf({ model: "m" }), noVariables)).toEqual([expect.stringContaining("set api_base or AZURE_API_BASE")]);
    expect(openai.check?.(questionOf({ model: "m", apiBase: "res" }), noVariables)).toEqual(['api_base "res" is no URL']);
    expect(openai.check?.(questionOf({ model: "m" }), variables)).toEqual([]);
  });

  it("keeps a deployment's odd name in its place", () => {
    const asked = { model: "a b/c", apiBase: host, dialect: chat, params: { api_version: "2024-10-21" } };
    expect(address(openai, asked).url).toBe(`${host}/openai/deployments/a%20b%2Fc/chat/completions?api-version=2024-10-21`);
  });
});

describe("the wires of a deployment", () => {
  const wires = (asked: Asked, operation: "generate" | "embeddings" | "count_tokens" = "generate"): readonly string[] =>
    openai.dialects(questionOf({ apiBase: host, ...asked }), operation);

  it.each([
    ["gpt-6.1-sol", {}, [responses, chat]],
    ["my-o4-mini", {}, [responses, chat]],
    ["gpt-4.1", {}, [chat, responses]],
    ["deepseek-v4", {}, [chat, responses]],
    ["prod", { info: { base_model: "azure/gpt-6-astra" } }, [responses, chat]],
    ["prod", { info: { mode: "responses" } }, [responses, chat]],
    ["gpt-6.1-sol", { info: { mode: "chat" } }, [chat, responses]],
    ["responses/prod", {}, [responses, chat]],
    ["gpt-6.1-sol", { params: { api_version: "2025-04-01-preview" } }, [chat, responses]],
    ["gpt-5", { params: { api_version: "2024-10-21" } }, [chat]],
    ["gpt-5", { apiBase: `${host}/openai/deployments/gpt-5` }, [chat]],
  ] as const)("%s with %j", (model, more, expected) => {
    expect(wires({ model, ...more })).toEqual(expected);
  });

  it("count nothing, and embed", () => {
    expect(wires({ model: "gpt-6" }, "count_tokens")).toEqual([]);
    expect(wires({ model: "text-embedding-3-large" }, "embeddings")).toEqual([chat]);
  });

  it("are asked for by the deployment's own name", () => {
    for (const prefix of ["", "responses/", "o_series/", "gpt5_series/"]) expect(openai.modelId?.(`${prefix}prod`)).toBe("prod");
  });
});

describe("Claude in Foundry", () => {
  const resource = "https://res.services.ai.azure.com";

  it.each([
    resource,
    `${resource}/`,
    `${resource}/anthropic`,
    `${resource}/anthropic/v1`,
    `${resource}/anthropic/v1/messages`,
    `${resource}/openai`,
    `${resource}/models`,
  ])("stands below /anthropic of %s", (apiBase) => {
    expect(address(foundry, { model: "claude-opus-5-5", apiBase }).url).toBe(`${resource}/anthropic/v1/messages`);
    const counted = address(foundry, { model: "claude-opus-5-5", apiBase, operation: "count_tokens" });
    expect(counted.url).toBe(`${resource}/anthropic/v1/messages/count_tokens`);
  });

  it("gets the client's own bytes under the deployment's name, without what is refused here", () => {
    const original = claudeCodeBody({ turns: 1 }).toString();
    const { outbound, headers } = address(foundry, {
      model: "my-claude-opus-5-5",
      apiBase: resource,
      body: JSON.parse(original),
      headers: [
        ["anthropic-beta", "claude-code-20250219,context-management-2025-06-27,prompt-caching-scope-2026-01-05"],
        ["x-claude-code-session-id", "s"],
      ],
    });
    expect(Buffer.from(outbound.body).toString()).toBe(
      original
        .replace('"model":"claude-opus-5-5"', '"model":"my-claude-opus-5-5"')
        .replace(/\{"type":"text","text":"x-anthropic-billing-header[^}]*\},/, ""),
    );
    expect(headers).toEqual({
      "content-type": "application/json",
      "anthropic-version": "2023-06-01",
      "anthropic-beta": "context-management-2025-06-27",
    });
  });

  it("folds system messages for models that know none, told by the model behind the deployment", () => {
    const body = {
      messages: [
        { role: "user", content: "a" },
        { role: "system", content: "b" },
      ],
    };
    const asked = { model: "claude-prod", apiBase: resource, body };
    expect(address(foundry, { ...asked, info: { base_model: "claude-sonnet-4-6" } }).json).toMatchObject({ messages: [{ role: "user" }] });
    expect(address(foundry, { ...asked, info: { base_model: "claude-opus-5-5" } }).json).toMatchObject({
      messages: [{}, { role: "system" }],
    });
  });
});

describe("other models in Foundry", () => {
  it.each([
    ["https://res.services.ai.azure.com", "https://res.services.ai.azure.com/openai/v1/chat/completions"],
    ["https://res.services.ai.azure.com/models", "https://res.services.ai.azure.com/openai/v1/chat/completions"],
    ["https://one.eastus.models.ai.azure.com", "https://one.eastus.models.ai.azure.com/v1/chat/completions"],
    ["https://one.eastus.inference.ai.azure.com/v1/", "https://one.eastus.inference.ai.azure.com/v1/chat/completions"],
  ])("stand at %s", (apiBase, url) => {
    expect(address(foundry, { model: "deepseek-v4", apiBase }).url).toBe(url);
  });

  it("speak what their host does", () => {
    const wires = (model: string, apiBase: string): readonly string[] => foundry.dialects(questionOf({ model, apiBase }), "generate");
    expect(wires("claude-opus-5-5", "https://res.services.ai.azure.com")).toEqual(["anthropic"]);
    expect(wires("gpt-6-sol", "https://res.services.ai.azure.com")).toEqual([responses, chat]);
    expect(wires("llama", "https://one.eastus.models.ai.azure.com")).toEqual([chat]);
    expect(foundry.dialects(questionOf({ model: "claude-opus-5-5" }), "embeddings")).toEqual([]);
  });
});

describe("credentials", () => {
  const credential = { form: "api-key", value: "k" } as const;

  it("go under the names of each API", () => {
    expect(openai.authorize([], credential)).toEqual([["api-key", "k"]]);
    expect(openai.authorize([], { form: "bearer", value: "t" })).toEqual([["authorization", "Bearer t"]]);
    expect(foundry.authorize([["anthropic-version", "v"]], credential)).toEqual([
      ["anthropic-version", "v"],
      ["x-api-key", "k"],
    ]);
    expect(foundry.authorize([["anthropic-version", "v"]], { form: "bearer", value: "t" })[1]).toEqual(["authorization", "Bearer t"]);
    expect(foundry.authorize([["accept", "a"]], credential)).toEqual([
      ["accept", "a"],
      ["authorization", "Bearer k"],
    ]);
  });

  it("of a caller go to exact hosts of Azure only", () => {
    const owns = (url: string): boolean => openai.ownsUrl(new URL(url));
    expect(owns("https://res.openai.azure.com/openai/v1")).toBe(true);
    expect(owns("https://res.openai.azure.com.evil.example")).toBe(false);
    expect(owns("http://res.openai.azure.com")).toBe(false);
    expect(owns("https://a.b.openai.azure.com")).toBe(false);
  });
});
