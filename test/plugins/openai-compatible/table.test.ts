import { describe, expect, test } from "vitest";
import { nearest } from "../../../plugins/openai-compatible/efforts.ts";
import { gptChatQuirks, gptResponsesQuirks } from "../../../plugins/openai-compatible/gpt.ts";
import { openaiCompatible } from "../../../plugins/openai-compatible/index.ts";
import { rows } from "../../../plugins/openai-compatible/table.ts";

const providers = openaiCompatible.setup().providers ?? [];

describe("the table", () => {
  test("knows more than a hundred providers, each by names of its own", () => {
    expect(rows.length).toBeGreaterThan(100);
    const names = providers.flatMap((provider) => provider.names);
    expect(new Set(names).size).toBe(names.length);
    for (const name of names) expect(name).toMatch(/^[a-z0-9][a-z0-9_-]*$/);
  });

  test.each(rows.map((row) => [row.names[0], row] as const))("%s: an address, a key and a page", (_, row) => {
    expect(new URL(row.page).protocol).toBe("https:");
    if (row.base !== undefined) {
      const { protocol, hostname, search } = new URL(row.base);
      expect(protocol === "https:" || ["localhost", "127.0.0.1"].includes(hostname)).toBe(true);
      expect(search).toBe("");
      expect(row.base).not.toMatch(/\/$/);
    }
    const provider = providers.find(({ names }) => names === row.names);
    for (const variable of [...(provider?.keyVariables ?? []), ...(provider?.baseVariables ?? [])])
      expect(variable).toMatch(/^[A-Z][A-Z0-9_]+$/);
    expect(provider?.keyVariables?.length).toBeGreaterThan(0);
  });

  test("no two providers claim one host", () => {
    const hosts = providers.flatMap((provider) => provider.hosts ?? []);
    const twice = hosts.filter((host, index) => hosts.indexOf(host) !== index);
    // Two regions of one vendor may share it, two vendors may not.
    expect(twice).toEqual([]);
  });

  test("a server on one's own machine is no vendor's host", () => {
    const local = providers.filter(({ defaultApiBase }) => defaultApiBase !== undefined && /localhost|127\.0\.0\.1/.test(defaultApiBase));
    expect(local.length).toBeGreaterThan(4);
    for (const { hosts = [], keyOptional } of local) {
      expect(hosts.join()).not.toMatch(/localhost|127/);
      expect(keyOptional).toBe(true);
    }
  });

  test("LiteLLM's spelling of the variables is the rule", () => {
    const together = providers.find(({ names }) => names.includes("together_ai"));
    expect(together?.baseVariables).toContain("TOGETHER_AI_API_BASE");
    const groq = providers.find(({ names }) => names.includes("groq"));
    expect(groq).toMatchObject({ keyVariables: ["GROQ_API_KEY"], baseVariables: ["GROQ_API_BASE"] });
  });
});

test("providers with protocols of their own are named, and say what to do instead", () => {
  for (const name of ["watsonx", "github_copilot", "replicate", "oci", "sagemaker_chat"]) {
    const provider = providers.find(({ names }) => names.includes(name));
    expect(provider?.dialects({ model: "m", apiBase: undefined, params: {}, info: {} }, "generate"), name).toEqual([]);
    expect(provider?.check?.({ model: "m", apiBase: undefined, params: {}, info: {} }, () => undefined)).toEqual([
      expect.stringMatching(/protocol of its own/),
    ]);
  }
});

describe("efforts", () => {
  test("one that is not known is the nearest below, else the least", () => {
    expect(nearest("low", "medium", "high")).toEqual({
      none: "low",
      minimal: "low",
      low: "low",
      medium: "medium",
      high: "high",
      xhigh: "high",
      max: "high",
    });
    expect(nearest("none", "high")).toMatchObject({ none: "none", minimal: "none", medium: "none", high: "high", max: "high" });
  });

  test.each([
    ["gpt-6.2-astra", "low", "xhigh"],
    ["gpt-6.1-terra", "low", "max"],
    ["gpt-6-astra", "low", "max"],
    ["gpt-6-luna", "none", "none"],
    ["gpt-5.6-sol", "none", "none"],
    ["gpt-5.5", "none", "xhigh"],
    ["gpt-5.4-mini", "none", "xhigh"],
    ["gpt-5.1", "none", "high"],
    ["gpt-5-mini-2025-08-07", "minimal", "high"],
    ["gpt-5.3-codex", "low", "xhigh"],
    ["gpt-5.1-codex-max", "low", "xhigh"],
    ["gpt-5.1-codex", "low", "high"],
    ["gpt-5-pro", "high", "high"],
    ["o3", "low", "high"],
    ["ft:gpt-5:acme::1", "minimal", "high"],
  ])("%s is asked for %s where none is wanted, for %s at most", (model, least, most) => {
    const { effortNames, maxTokensField, systemRole, refused } = gptChatQuirks(model);
    expect([effortNames?.["none"], effortNames?.["max"]]).toEqual([least, most]);
    expect([maxTokensField, systemRole]).toEqual(["max_completion_tokens", "developer"]);
    expect(refused).toEqual(expect.arrayContaining(["temperature", "top_p", "stop"]));
    expect(gptResponsesQuirks(model)).toMatchObject({
      encryptedReasoning: true,
      promptCacheKey: true,
      refused: expect.arrayContaining(["temperature"]),
    });
  });

  test.each([
    "gpt-4o",
    "gpt-4.1-mini",
    "gpt-3.5-turbo",
    "gpt-5-chat-latest",
    "gpt-5.2-chat-latest",
    "chatgpt-4o-latest",
    "ft:gpt-4.1:a::b",
  ])("%s does not reason: it keeps its sampling", (model) => {
    const quirks = gptChatQuirks(model);
    expect(quirks).toMatchObject({ effort: "none", maxTokensField: "max_completion_tokens" });
    expect(quirks.refused ?? []).toEqual([]);
    expect(gptResponsesQuirks(model).refused ?? []).toEqual([]);
  });

  test("what OpenAI did not make has no manners of OpenAI's", () => {
    expect(gptChatQuirks("gpt-oss-120b")).toEqual({});
    expect(gptChatQuirks("llama-5")).toEqual({});
  });

  test("PDFs go to models that read them", () => {
    expect(gptChatQuirks("gpt-4o").documents).toBe(true);
    expect(gptChatQuirks("gpt-4-turbo").documents).toBeUndefined();
    expect(gptResponsesQuirks("gpt-3.5-turbo").documents).toBe(false);
  });
});
