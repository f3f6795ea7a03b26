import { describe, expect, it } from "vitest";

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
