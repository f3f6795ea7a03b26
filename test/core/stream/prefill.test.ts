import { describe, expect, it } from "vitest";

import { type Deployment, createDeployment } from "../../../core/routing/deployment.ts";
import { prefills, withPrefill } from "../../../core/stream/prefill.ts";
import { builtinPlugins } from "../../../plugins/index.ts";
import type { JsonObject } from "../../../sdk/events.ts";
import { deploymentConfig } from "../../helpers/config.ts";

const providers = builtinPlugins.flatMap((plugin) => plugin.setup().providers ?? []);

function deployment(model: string, info: Readonly<Record<string, unknown>> = {}): Deployment {
  return createDeployment(deploymentConfig({ group: "g", model, info, apiKey: "k" }), { providers, variables: () => undefined });
}

describe("who goes on from a text", () => {
  it.each([
    "anthropic/claude-sonnet-4-5-20250929",
    "anthropic/claude-opus-4-5",
    "anthropic/claude-opus-4-1-20250805",
    "anthropic/claude-sonnet-4-20250514",
    "anthropic/claude-haiku-4-5@20251001",
    "anthropic/claude-3-5-haiku-latest",
    "bedrock/us.anthropic.claude-sonnet-4-5-20250929-v1:0",
    "vertex_ai/claude-sonnet-4-5@20250929",
  ])("is %s", (model) => {
    expect(prefills(deployment(model))).toBe(true);
  });

  it.each([
    "anthropic/claude-opus-4-6",
    "anthropic/claude-sonnet-4-6",
    "anthropic/claude-opus-4-8",
    "anthropic/claude-haiku-5-5",
    "anthropic/claude-sonnet-5",
    "anthropic/claude-fable-5-2",
    "anthropic/claude-something-new",
    "bedrock/converse/anthropic.claude-sonnet-4-5-20250929-v1:0",
    "openrouter/anthropic/claude-sonnet-4.5",
    "openai/gpt-5",
    "deepseek/deepseek-chat",
    "gemini/gemini-2.5-pro",
  ])("is not %s, as far as is known", (model) => {
    expect(prefills(deployment(model))).toBe(false);
  });

  it("is whoever is said to", () => {
    expect(prefills(deployment("openai/mine", { supports_assistant_prefill: true }))).toBe(true);
    expect(prefills(deployment("anthropic/claude-sonnet-4-5", { supports_assistant_prefill: false }))).toBe(false);
    const known = deployment("openai/mine");
    expect(prefills({ ...known, modelFacts: { ...known.modelFacts, prefill: true } })).toBe(true);
    const refusing = deployment("anthropic/claude-sonnet-4-5");
    expect(prefills({ ...refusing, modelFacts: { ...refusing.modelFacts, prefill: false } })).toBe(false);
  });
});

const asked = { role: "user", content: "Tell me." };

function messagesWith(messages: readonly JsonObject[], rest: JsonObject = {}): unknown {
  return withPrefill({ model: "m", ...rest, messages }, "Once")?.["messages"];
}

describe("a request with the beginning of its reply", () => {
  it("ends in it, and is the same else", () => {
    const request: JsonObject = { model: "m", max_tokens: 5, stream: true, tools: [{ name: "f" }], messages: [asked] };
    expect(withPrefill(request, "Once")).toEqual({ ...request, messages: [asked, { role: "assistant", content: "Once" }] });
    expect(request["messages"]).toEqual([asked]);
  });

  it("of nothing is the same", () => {
    const request: JsonObject = { messages: [asked], thinking: { type: "enabled", budget_tokens: 1 } };
    expect(withPrefill(request, "")).toBe(request);
  });

  it("goes on from what the caller began it with", () => {
    expect(messagesWith([asked, { role: "assistant", content: "Well: " }])).toEqual([asked, { role: "assistant", content: "Well: Once" }]);
    const marked = { type: "text", text: "Well: ", cache_control: { type: "ephemeral" } };
    expect(messagesWith([asked, { role: "assistant", content: [{ type: "text", text: "a" }, marked] }])).toEqual([
      asked,
      {
        role: "assistant",
        content: [
          { type: "text", text: "a" },
          { ...marked, text: "Well: Once" },
        ],
      },
    ]);
    const image = { type: "image" };
    expect(messagesWith([{ role: "assistant", content: [image] }])).toEqual([
      { role: "assistant", content: [image, { type: "text", text: "Once" }] },
    ]);
  });

  it.each([
    [{ thinking: { type: "enabled", budget_tokens: 1024 } }],
    [{ thinking: { type: "adaptive" } }],
    [{ output_config: { format: { type: "json_schema" } } }],
    [{ output_format: { type: "json_schema" } }],
    [{ tool_choice: { type: "any" } }],
    [{ tool_choice: { type: "tool", name: "f" } }],
  ])("is none with %j", (rest) => {
    expect(messagesWith([asked], rest)).toBeUndefined();
  });

  it.each([
    [{ thinking: { type: "disabled" } }],
    [{ output_config: { effort: "low" } }],
    [{ output_format: null }],
    [{ tool_choice: { type: "auto" } }],
  ])("is one with %j", (rest) => {
    expect(messagesWith([asked], rest)).toHaveLength(2);
  });
});
