import { beforeAll, describe, expect, it, vi } from "vitest";

import { models } from "../../../core/models/look-up.ts";
import { costUsd } from "../../../core/spend/cost.ts";

const prices = {
  input_cost_per_token: 1,
  output_cost_per_token: 10,
  cache_read_input_token_cost: 100,
  cache_creation_input_token_cost: 1000,
};
const usage = { inputTokens: 2, outputTokens: 3, cacheReadTokens: 4, cacheWriteTokens: 5 };

describe("the cost", () => {
  it("counts each kind of token at its own price", () => {
    expect(costUsd(usage, prices)).toBe(2 + 30 + 400 + 5000);
  });

  it("needs no price for tokens that are none", () => {
    const none = { ...usage, cacheReadTokens: 0, cacheWriteTokens: undefined };
    expect(costUsd(none, { input_cost_per_token: 1, output_cost_per_token: 10 })).toBe(32);
    expect(costUsd({ ...none, outputTokens: 0 }, { input_cost_per_token: 1 })).toBe(2);
  });

  it.each(Object.keys(prices))("is not known without %s where it is needed", (name) => {
    expect(costUsd(usage, { ...prices, [name]: undefined })).toBeNull();
  });

  it.each([undefined, null, "", "free", Number.NaN, Number.POSITIVE_INFINITY, -1, true])("is not known where a price is %j", (price) => {
    expect(costUsd(usage, { ...prices, input_cost_per_token: price })).toBeNull();
  });

  it("reads the spellings of small numbers that YAML takes for text, and a price of nothing", () => {
    expect(costUsd(usage, { ...prices, input_cost_per_token: "3e-06" })).toBe(0.000006 + 5430);
    expect(costUsd(usage, { ...prices, input_cost_per_token: 0 })).toBe(5430);
  });

  it("is not known without usage", () => {
    expect(costUsd(undefined, prices)).toBeNull();
    expect(costUsd({ ...usage, inputTokens: undefined }, prices)).toBeNull();
    expect(costUsd({ ...usage, outputTokens: undefined }, prices)).toBeNull();
  });
});

describe("the cost by the list of prices", () => {
  const opus = { providerName: "anthropic", model: "claude-opus-5-5" };
  const small = { inputTokens: 1000, outputTokens: 100, cacheReadTokens: 400, cacheWriteTokens: 300 };

  beforeAll(() => models.load());

  it("is that of the model that answered", () => {
    expect(costUsd(small, {}, opus)).toBe(0.004 + 0.002 + 0.00008 + 0.0015);
    expect(costUsd(small, {}, { providerName: "openai", model: "gpt-6-sol" })).toBe(0.002 + 0.001 + 0.00008 + 0.00075);
  });

  it("is that of the hour, where the list has hours", () => {
    const deepseek = { providerName: "deepseek_anthropic", model: "deepseek-v4-pro" };
    const sum = 0.00066 + 0.000198 + 0.0000088 + 0.000198;
    vi.useFakeTimers({ toFake: ["Date"] });
    try {
      vi.setSystemTime("2026-11-23T00:30:00Z");
      expect(costUsd(small, {}, deepseek)).toBeCloseTo(sum, 12);
      vi.setSystemTime("2026-11-23T02:30:00Z");
      expect(costUsd(small, {}, deepseek)).toBeCloseTo(2 * sum, 12);
    } finally {
      vi.useRealTimers();
    }
  });

  it("is dearer for a long request, all tokens of it", () => {
    const long = { inputTokens: 72_001, outputTokens: 1000, cacheReadTokens: 200_000, cacheWriteTokens: 0 };
    const sol = { providerName: "openai", model: "gpt-6-sol" };
    expect(costUsd(long, {}, sol)).toBe(Number((72_001 * 4e-6 + 1000 * 15e-6 + 200_000 * 0.4e-6).toPrecision(12)));
    expect(costUsd({ ...long, inputTokens: 72_000 }, {}, sol)).toBe(
      Number((72_000 * 2e-6 + 1000 * 10e-6 + 200_000 * 0.2e-6).toPrecision(12)),
    );
  });

  it("is not known for a model without a price, whatever the model that was asked for costs", () => {
    expect(costUsd(small, {}, { providerName: "hosted_vllm", model: "claude-opus-5-5" })).toBeNull();
    expect(costUsd(small, {}, { providerName: "anthropic", model: "my-own" })).toBeNull();
    expect(costUsd(small, {})).toBeNull();
    expect(costUsd(undefined, {}, opus)).toBeNull();
    // Nobody says what Haiku 5.5 asks for reading from a cache.
    const haiku = { providerName: "anthropic", model: "claude-haiku-5-5" };
    expect(costUsd(small, {}, haiku)).toBeNull();
    expect(costUsd({ ...small, cacheReadTokens: 0 }, {}, haiku)).toBe(0.0001 + 0.00005 + 0.0000375);
  });

  it("gives way to prices of one's own, as a whole", () => {
    expect(
      costUsd({ ...small, cacheReadTokens: 0, cacheWriteTokens: 0 }, { input_cost_per_token: 1, output_cost_per_token: 2 }, opus),
    ).toBe(1200);
    expect(costUsd(small, { input_cost_per_token: 1, output_cost_per_token: 2 }, opus)).toBeNull();
    expect(costUsd(small, { cache_read_input_token_cost: 1 }, opus)).toBe(400.0075);
    expect(
      costUsd(
        small,
        { input_cost_per_token: 0, output_cost_per_token: 0, cache_read_input_token_cost: 0, cache_creation_input_token_cost: 0 },
        opus,
      ),
    ).toBe(0);
  });

  it("follows the model that model_info says is behind a name", () => {
    const prod = { providerName: "azure", model: "prod" };
    expect(costUsd(small, {}, prod)).toBeNull();
    expect(costUsd({ ...small, cacheReadTokens: 0, cacheWriteTokens: 0 }, { base_model: "azure/gpt-6-astra" }, prod)).toBe(0.015);
  });

  it("has steps of one's own, too", () => {
    const info = { input_cost_per_token: 1, output_cost_per_token: 1, input_cost_per_token_above_200k_tokens: 2 };
    const usage = { inputTokens: 200_000, outputTokens: 0, cacheReadTokens: undefined, cacheWriteTokens: undefined };
    expect(costUsd(usage, info)).toBe(200_000);
    expect(costUsd({ ...usage, inputTokens: 200_001 }, info)).toBe(400_002);
  });
});

describe("the cost of what is not usual", () => {
  const plain = { inputTokens: 100, outputTokens: 10, cacheReadTokens: 0, cacheWriteTokens: 0 };
  const each = { input_cost_per_token: 1, output_cost_per_token: 10 };

  it("counts what is written to a cache for an hour at its own price, else at twice that of input", () => {
    const written = { ...plain, cacheWriteTokens: 30, cacheWrite1hTokens: 20 };
    const cached = { ...each, cache_creation_input_token_cost: 1.25 };
    expect(costUsd(written, cached)).toBe(200 + 12.5 + 40);
    expect(costUsd(written, { ...cached, cache_creation_input_token_cost_above_1hr: 3 })).toBe(200 + 12.5 + 60);
  });

  it("counts thoughts at their own price where they have one", () => {
    const thought = { ...plain, reasoningTokens: 4 };
    expect(costUsd(thought, each)).toBe(200);
    expect(costUsd(thought, { ...each, output_cost_per_reasoning_token: 20 })).toBe(240);
  });

  it("counts each search", () => {
    expect(costUsd({ ...plain, serverToolUses: 2 }, each)).toBe(200.02);
    expect(costUsd({ ...plain, serverToolUses: 2 }, { ...each, server_tool_use_cost_per_request: 1 })).toBe(202);
  });

  it("is half of it for batches and flexible processing, or as named", () => {
    expect(costUsd({ ...plain, serviceTier: "batch" }, each)).toBe(100);
    expect(costUsd({ ...plain, serviceTier: "flex" }, each)).toBe(100);
    expect(costUsd({ ...plain, serviceTier: "batch" }, { ...each, input_cost_per_token_batches: 0.1 })).toBe(10 + 100);
    expect(costUsd({ ...plain, serviceTier: "standard" }, each)).toBe(200);
  });

  it("of priority is as named, and else not known", () => {
    const named = { ...each, input_cost_per_token_priority: 2, output_cost_per_token_priority: 20 };
    expect(costUsd({ ...plain, serviceTier: "priority" }, named)).toBe(400);
    expect(costUsd({ ...plain, serviceTier: "priority" }, each)).toBeNull();
  });
});
