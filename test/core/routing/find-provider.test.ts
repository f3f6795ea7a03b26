import { describe, expect, test } from "vitest";
import { findProvider } from "../../../core/routing/find-provider.ts";
import { createRegistry } from "../../../core/registry.ts";
import { builtinPlugins } from "../../../plugins/index.ts";
import { openaiCompatible } from "../../../plugins/openai-compatible/index.ts";
import type { Provider } from "../../../sdk/provider.ts";

const { providers } = createRegistry(builtinPlugins);

function resolve(model: string, more: { explicit?: string; apiBase?: string } = {}): readonly [string, string, boolean] {
  const { provider, name, model: asked } = findProvider({ model, ...more }, providers);
  return [name, asked, provider !== undefined];
}

function small(name: string, ...hosts: string[]): Provider {
  return {
    names: [name],
    hosts,
    defaultApiBase: undefined,
    dialects: () => [],
    address: () => ({ url: "", headers: [], body: new Uint8Array() }),
    authorize: (headers) => headers,
    ownsUrl: () => false,
  };
}

describe("as LiteLLM resolves them", () => {
  test.each([
    ["groq/openai/gpt-oss-120b", {}, "groq", "openai/gpt-oss-120b"],
    ["openrouter/anthropic/claude-opus-5.5", {}, "openrouter", "anthropic/claude-opus-5.5"],
    ["openrouter/openrouter/auto", {}, "openrouter", "openrouter/auto"],
    ["anthropic/claude-opus-5-5", {}, "anthropic", "claude-opus-5-5"],
    ["claude-opus-5-5", {}, "anthropic", "claude-opus-5-5"],
    ["gpt-6-sol", {}, "openai", "gpt-6-sol"],
    ["ft:gpt-4.1:acme::1", {}, "openai", "ft:gpt-4.1:acme::1"],
    ["openai/responses/gpt-6-sol", {}, "openai", "responses/gpt-6-sol"],
    ["ollama_chat/qwen3", {}, "ollama", "qwen3"],
    ["vllm/meta-llama/Llama-5", {}, "hosted_vllm", "meta-llama/Llama-5"],
    ["llama-5", { explicit: "groq" }, "groq", "llama-5"],
    ["groq/llama-5", { explicit: "groq" }, "groq", "llama-5"],
    ["openai/gpt-oss-120b", { explicit: "groq" }, "groq", "openai/gpt-oss-120b"],
    ["gpt-6-sol", { explicit: "groq" }, "groq", "gpt-6-sol"],
    ["meta-llama/Llama-5", { apiBase: "https://api.together.xyz/v1" }, "together_ai", "meta-llama/Llama-5"],
    ["meta-llama/Llama-5", { apiBase: "https://api.together.ai/v1/" }, "together_ai", "meta-llama/Llama-5"],
    ["deepseek-flash", { apiBase: "https://api.deepseek.com" }, "deepseek", "deepseek-flash"],
    ["gpt-6-sol", { apiBase: "https://openrouter.ai/api/v1" }, "openrouter", "gpt-6-sol"],
    ["groq/llama-5", { apiBase: "https://openrouter.ai/api/v1" }, "groq", "llama-5"],
  ])("%s with %j", (model, more, name, asked) => {
    expect(resolve(model, more)).toEqual([name, asked, true]);
  });

  test.each([
    ["meta-llama/Llama-5", {}, "meta-llama"],
    ["some-model", {}, "unknown"],
    ["groq", {}, "unknown"],
    ["/groq", {}, "unknown"],
    ["acme/gpt-6-sol", {}, "acme"],
    ["gpt-6-sol", { explicit: "grok" }, "grok"],
    ["llama", { apiBase: "https://api.together.xyz.evil.example/v1" }, "unknown"],
    ["llama", { apiBase: "https://api.together.xyz@evil.example/v1" }, "unknown"],
    ["llama", { apiBase: "https://eu.api.x.ai/v1" }, "unknown"],
    ["llama", { apiBase: "https://api.x.ai:8443/v1" }, "unknown"],
    ["llama", { apiBase: "no url" }, "unknown"],
  ])("%s with %j is nobody's", (model, more, name) => {
    expect(resolve(model, more)).toEqual([name, model, false]);
  });
});

test("the longest place counts where one vendor has several APIs on one host", () => {
  const both = [small("chat", "api.example.com"), small("messages", "api.example.com/anthropic")];
  const at = (apiBase: string): string => findProvider({ model: "m", apiBase }, both).name;
  expect(at("https://api.example.com/v1")).toBe("chat");
  expect(at("https://api.example.com/anthropic")).toBe("messages");
  expect(at("https://api.example.com/anthropic/v1")).toBe("messages");
  expect(at("https://api.example.com/anthropics")).toBe("chat");
  expect(findProvider({ model: "m", apiBase: "https://api.example.com/anthropic" }, both.toReversed()).name).toBe("messages");
});

test("only bare names are recognised, in the order of registration", () => {
  const [first, second] = [small("first"), small("second")];
  const greedy = [first, second].map((provider) => ({ ...provider, recognises: () => true }));
  expect(findProvider({ model: "m" }, greedy).name).toBe("first");
  expect(findProvider({ model: "m" }, greedy.toReversed()).name).toBe("second");
  expect(findProvider({ model: "acme/m" }, greedy).provider).toBeUndefined();
});

test("every name of the table resolves to its own provider", () => {
  for (const provider of openaiCompatible.setup().providers ?? []) {
    for (const name of provider.names) {
      expect(resolve(`${name}/some/model`)).toEqual([provider.names[0], "some/model", true]);
    }
  }
});

test.each([
  ["grok/llama-5", "", "groq"],
  ["open_router/auto", "", "openrouter"],
  ["together/x", "", ""],
  ["x", "mistrall", "mistral"],
  ["some-model", "", ""],
])("%s by %j is hinted at %j", (model, explicit, hint) => {
  const found = findProvider({ model, ...(explicit === "" ? {} : { explicit }) }, providers);
  expect(found).toMatchObject({
    provider: undefined,
    hint: hint === "" ? expect.not.stringContaining("groq") : ` Did you mean "${hint}"?`,
  });
});
