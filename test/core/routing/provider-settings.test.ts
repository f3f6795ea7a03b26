import { describe, expect, test } from "vitest";
import { findSettings, type ProviderSettings } from "../../../core/routing/provider-settings.ts";
import { openaiCompatible } from "../../../plugins/openai-compatible/index.ts";
import type { ModelQuestion, Provider } from "../../../sdk/provider.ts";

function named(name: string): Provider {
  const provider = openaiCompatible.setup().providers?.find(({ names }) => names.includes(name));
  if (provider === undefined) throw new Error(name);
  return provider;
}

interface Given {
  readonly apiBase?: string;
  readonly apiKey?: string;
  readonly variables?: Readonly<Record<string, string>>;
  readonly params?: ModelQuestion["params"];
}

function settings(name: string, { apiBase, apiKey, variables = {}, params = {} }: Given = {}): ProviderSettings {
  return findSettings(named(name), { question: { model: "m", apiBase, params, info: {} }, apiKey }, (variable) => variables[variable]);
}

describe("the base", () => {
  test("is what the deployment says, then a variable, then the provider's own", () => {
    const variables = { GROQ_API_BASE: "https://groq.example/v1/" };
    expect(settings("groq", { apiBase: "https://mine.example/v1/", variables })).toMatchObject({
      apiBase: "https://mine.example/v1",
      baseVariable: undefined,
    });
    expect(settings("groq", { variables })).toMatchObject({ apiBase: "https://groq.example/v1", baseVariable: "GROQ_API_BASE" });
    expect(settings("groq")).toMatchObject({ apiBase: "https://api.groq.com/openai/v1", baseVariable: undefined, problem: undefined });
    expect(settings("groq", { variables: { GROQ_API_BASE: " " } })).toMatchObject({ apiBase: "https://api.groq.com/openai/v1" });
  });

  test("of several variables the first that is set counts", () => {
    const variables = { OPENAI_BASE_URL: "https://a.example/v1", OPENAI_API_BASE: "https://b.example/v1" };
    expect(settings("openai", { variables })).toMatchObject({ apiBase: "https://a.example/v1", baseVariable: "OPENAI_BASE_URL" });
    expect(settings("openai", { variables: { OPENAI_API_BASE: "https://b.example/v1" } }).baseVariable).toBe("OPENAI_API_BASE");
  });

  test("that is missing or none says what to do", () => {
    expect(settings("hosted_vllm").problem).toMatch(/api_base.*HOSTED_VLLM_API_BASE/);
    expect(settings("groq", { variables: { GROQ_API_BASE: "groq.example" } }).problem).toMatch(/GROQ_API_BASE is no http or https URL/);
    expect(settings("snowflake").problem).toMatch(/SNOWFLAKE_ACCOUNT_ID/);
    expect(settings("snowflake", { params: { account_id: "acme" } })).toMatchObject({
      problem: undefined,
      apiBase: expect.stringContaining("//acme."),
    });
  });
});

describe("the key", () => {
  const variables = { GROQ_API_KEY: "gsk-1\n", TOGETHERAI_API_KEY: "t-1" };

  test("is the deployment's, else a variable's, and it is said which", () => {
    expect(settings("groq", { apiKey: "mine", variables })).toMatchObject({ apiKey: "mine", keyVariable: undefined });
    expect(settings("groq", { variables })).toMatchObject({ apiKey: "gsk-1", keyVariable: "GROQ_API_KEY" });
    expect(settings("together_ai", { variables })).toMatchObject({ apiKey: "t-1", keyVariable: "TOGETHERAI_API_KEY" });
    expect(settings("groq")).toMatchObject({ apiKey: undefined, keyVariable: undefined, withheldKeyVariable: undefined });
    expect(settings("groq", { variables: { GROQ_API_KEY: "" } }).keyVariable).toBeUndefined();
  });

  test("of a variable does not go to a host that is not the vendor's", () => {
    const given = { variables: { OPENAI_API_KEY: "sk-1" } };
    expect(settings("openai", { ...given, apiBase: "https://reseller.example/v1" })).toMatchObject({
      apiKey: undefined,
      keyVariable: undefined,
      withheldKeyVariable: "OPENAI_API_KEY",
    });
    expect(settings("openai", { ...given, apiBase: "https://api.openai.com.evil.example/v1" }).apiKey).toBeUndefined();
    expect(settings("openai", { ...given, apiBase: "https://reseller.example/v1", apiKey: "mine" })).toMatchObject({
      apiKey: "mine",
      withheldKeyVariable: undefined,
    });
  });

  test("of a variable goes to the vendor's hosts, to the base of a variable, to this machine, and to a server of one's own", () => {
    const given = { variables: { OPENAI_API_KEY: "sk-1", HOSTED_VLLM_API_KEY: "v-1" } };
    expect(settings("openai", { ...given, apiBase: "https://eu.api.openai.com/v1" }).apiKey).toBe("sk-1");
    expect(settings("openai", { ...given, apiBase: "http://127.0.0.1:4000/v1" }).apiKey).toBe("sk-1");
    expect(settings("openai", { ...given, variables: { ...given.variables, OPENAI_BASE_URL: "https://gateway.example/v1" } }).apiKey).toBe(
      "sk-1",
    );
    expect(settings("hosted_vllm", { ...given, apiBase: "https://gpu.example/v1" }).apiKey).toBe("v-1");
  });

  test("is not asked for by a server on this machine, or by one that needs none", () => {
    expect(settings("openai", { apiBase: "http://localhost:8080/v1" }).keyOptional).toBe(true);
    expect(settings("openai", { apiBase: "http://[::1]:8080/v1" }).keyOptional).toBe(true);
    expect(settings("openai", { apiBase: "https://127.example/v1" }).keyOptional).toBe(false);
    expect(settings("openai").keyOptional).toBe(false);
    expect(settings("hosted_vllm", { apiBase: "https://gpu.example/v1" }).keyOptional).toBe(true);
  });
});
