import { describe, expect, test } from "vitest";
import { createProvider } from "../../../plugins/openai-compatible/create-provider.ts";
import { rows } from "../../../plugins/openai-compatible/table.ts";
import type { ModelQuestion, Provider } from "../../../sdk/provider.ts";

const chat = "openai-chat";
const responses = "openai-responses";

function provider(name: string): Provider {
  const row = rows.find(({ names }) => names.includes(name));
  if (row === undefined) throw new Error(`no row for ${name}`);
  return createProvider(row);
}

function question(model: string, more: Partial<ModelQuestion> = {}): ModelQuestion {
  return { model, apiBase: undefined, params: {}, info: {}, ...more };
}

describe("openai", () => {
  const openai = provider("openai");

  test("is asked by Responses at its own host", () => {
    expect(openai.dialects(question("gpt-6-sol"), "generate")).toEqual([responses, chat]);
    expect(openai.dialects(question("gpt-4.1", { apiBase: "https://api.openai.com/v1" }), "generate")).toEqual([responses, chat]);
    expect(openai.dialects(question("gpt-4.1", { apiBase: "https://eu.api.openai.com" }), "generate")).toEqual([responses, chat]);
  });

  test("a compatible server is asked by Chat Completions: most have nothing at /responses", () => {
    expect(openai.dialects(question("qwen3", { apiBase: "http://localhost:8000/v1" }), "generate")).toEqual([chat]);
    expect(openai.dialects(question("gpt-4.1", { apiBase: "https://api.openai.com.evil.example/v1" }), "generate")).toEqual([chat]);
  });

  test("models whose tools need Responses are asked by it anywhere", () => {
    expect(openai.dialects(question("gpt-6-astra", { apiBase: "https://gateway.example/v1" }), "generate")).toEqual([responses, chat]);
    expect(openai.dialects(question("gpt-5.5", { apiBase: "https://gateway.example/v1" }), "generate")).toEqual([chat]);
    expect(openai.dialects(question("gpt-4o-search-preview"), "generate")).toEqual([chat]);
  });

  test.each([
    ["responses/gpt-4.1", {}, [responses]],
    ["chat/gpt-6-sol", {}, [chat]],
    ["chat_completions/gpt-6-sol", {}, [chat]],
    ["gpt-6-sol", { params: { use_chat_completions_api: true } }, [chat]],
    ["llama", { info: { mode: "responses" }, apiBase: "http://localhost:1/v1" }, [responses]],
    ["llama", { apiBase: "http://localhost:1/v1/responses" }, [responses]],
    ["gpt-6-sol", { apiBase: "https://api.openai.com/v1/chat/completions" }, [chat]],
    ["llama", { info: { supported_endpoints: ["/v1/chat/completions", "/v1/messages"] }, apiBase: "http://localhost:1" }, ["anthropic"]],
  ])("%s with %j is asked by %j alone", (model, more, wanted) => {
    expect(openai.dialects(question(model, more), "generate")).toEqual(wanted);
  });

  test("words before the model are not part of its name", () => {
    expect(openai.modelId?.("responses/gpt-6-sol")).toBe("gpt-6-sol");
    expect(openai.modelId?.("chat/ft:gpt-4.1:org::id")).toBe("ft:gpt-4.1:org::id");
    expect(openai.modelId?.("gpt-6-sol")).toBe("gpt-6-sol");
    expect(openai.modelId?.("responses/")).toBe("responses/");
  });

  test("has embeddings, and counts no tokens for clients of other dialects", () => {
    expect(openai.dialects(question("text-embedding-3-large"), "embeddings")).toEqual([chat]);
    expect(openai.dialects(question("gpt-6-sol"), "count_tokens")).toEqual([]);
    expect(provider("groq").dialects(question("x"), "embeddings")).toEqual([]);
    expect(provider("mistral").dialects(question("mistral-embed"), "embeddings")).toEqual([chat]);
  });

  test.each([
    "gpt-4o",
    "gpt-6.2-sol",
    "o1",
    "o3-mini",
    "o4-mini",
    "chatgpt-4o-latest",
    "ft:gpt-4.1:org::id",
    "codex-mini-latest",
    "text-embedding-3-small",
  ])("recognises %s", (model) => expect(openai.recognises?.(model)).toBe(true));

  test.each(["claude-opus-5-5", "gpt-oss-120b", "o11y", "ollama", "gemini-4-argon", "my-gpt-4o", "ft:llama"])(
    "does not recognise %s",
    (model) => expect(openai.recognises?.(model)).toBe(false),
  );

  test("says whose account it is in headers", () => {
    const address = (params: Record<string, unknown>): unknown =>
      openai
        .address(
          {
            dialect: responses,
            operation: "generate",
            stream: false,
            body: { bytes: new Uint8Array() } as never,
            path: "",
            search: "",
            headers: [["openai-organization", "callers"]],
          },
          { apiBase: "https://api.openai.com/v1", params } as never,
        )
        .headers.filter(([name]) => name.startsWith("openai-"));
    expect(address({ organization: "org-1", project: "proj_1" })).toEqual([
      ["openai-organization", "org-1"],
      ["openai-project", "proj_1"],
    ]);
    // The caller's belongs to the caller's key.
    expect(address({})).toEqual([]);
  });

  test("a caller's login goes to none that does not know its vendor's keys by their look", () => {
    for (const row of rows.filter(({ callersKey }) => callersKey === undefined))
      expect(createProvider(row).ownsUrl(new URL(row.base ?? "https://api.openai.com/v1"))).toBe(false);
  });
});

describe("authorize", () => {
  test("one credential, in the form that the host wants", () => {
    const headers = [
      ["authorization", "Bearer old"],
      ["user-agent", "x"],
    ] as const;
    expect(provider("groq").authorize(headers, { form: "api-key", value: "k" })).toEqual([
      ["user-agent", "x"],
      ["authorization", "Bearer k"],
    ]);
    expect(provider("sarvam").authorize([], { form: "api-key", value: "k" })).toEqual([
      ["authorization", "Bearer k"],
      ["api-subscription-key", "k"],
    ]);
    expect(provider("groq").authorize(headers, { form: "bearer", value: "k", userAgent: "y" })).toEqual([
      ["user-agent", "y"],
      ["authorization", "Bearer k"],
    ]);
  });
});

describe("bases with an account in them", () => {
  const none = (): undefined => undefined;

  test.each([
    ["databricks", {}, { DATABRICKS_HOST: "https://w.cloud.databricks.com/" }, "https://w.cloud.databricks.com/serving-endpoints"],
    ["databricks", {}, { DATABRICKS_HOST: "w.cloud.databricks.com" }, "https://w.cloud.databricks.com/serving-endpoints"],
    ["snowflake", { account_id: "acme" }, {}, "https://acme.snowflakecomputing.com/api/v2/cortex/v1"],
    ["cloudflare", {}, { CLOUDFLARE_ACCOUNT_ID: "a1" }, "https://api.cloudflare.com/client/v4/accounts/a1/ai/v1"],
    ["bedrock_mantle", { aws_region_name: "eu-west-1" }, {}, "https://bedrock-mantle.eu-west-1.api.aws/v1"],
    ["bedrock_mantle", {}, {}, "https://bedrock-mantle.us-east-1.api.aws/v1"],
  ])("%s with %j and %j", (name, params, variables: Record<string, string>, base) => {
    expect(provider(name).apiBase?.(question("m", { params }), (variable) => variables[variable])).toBe(base);
    expect(provider(name).check?.(question("m", { params }), (variable) => variables[variable])).toEqual([]);
  });

  test.each(["evil.example/", "a b", "a@b", "../x"])("%j is no account", (account_id) => {
    expect(() => provider("cloudflare").apiBase?.(question("m", { params: { account_id } }), none)).toThrow(/account or a region/);
    expect(() => provider("snowflake").apiBase?.(question("m", { params: { account_id } }), none)).toThrow(/account or a region/);
  });

  test.each(["databricks", "snowflake", "cloudflare", "hosted_vllm", "openai_like"])("%s says what is missing", (name) => {
    expect(provider(name).check?.(question("m"), none)).toEqual([expect.stringMatching(/^needs an api_base.*[A-Z_]+/)]);
    expect(() => provider(name).apiBase?.(question("m"), none)).toThrow(/needs an api_base/);
    expect(provider(name).check?.(question("m", { apiBase: "http://h" }), none)).toEqual([]);
    const variable = provider(name).baseVariables?.[0] ?? "";
    expect(provider(name).check?.(question("m"), (asked) => (asked === variable ? "http://h" : undefined))).toEqual([]);
  });
});

const own = provider("openai");

test("`mode: chat`, which stands beside most models of LiteLLM's, chooses nothing", () => {
  expect(own.dialects(question("gpt-6-sol", { info: { mode: "chat" } }), "generate")).toEqual([responses, chat]);
});

test("a caller's own key goes to OpenAI's own hosts, and a login of Anthropic's does not", () => {
  for (const url of ["https://api.openai.com/v1", "https://eu.api.openai.com/v1"]) expect(own.ownsUrl(new URL(url))).toBe(true);
  for (const url of [
    "http://api.openai.com",
    "https://api.openai.com.evil.example",
    "https://api.openai.com:444",
    "https://a@api.openai.com",
  ])
    expect(own.ownsUrl(new URL(url))).toBe(false);
  expect(own.isCredential?.("sk-proj-0123")).toBe(true);
  for (const value of ["sk-ant-oat01-x", "sk-ant-api03-x", "AIza", ""]) expect(own.isCredential?.(value)).toBe(false);
});
