import { spawnSync } from "node:child_process";

import { describe, expect, it, vi } from "vitest";

import { type Catalog, loadCatalog } from "../../../core/models/catalog.ts";
import { findKnown, plainId } from "../../../core/models/known.ts";
import { createModels, lookUpDeployment } from "../../../core/models/look-up.ts";
import { pricesAt, pricesOfInfo } from "../../../core/models/prices.ts";

const now = new Date("2026-11-22T12:00:00Z");

describe("the family of a model", () => {
  it.each([
    ["claude-opus-4-8", "claude-opus-4-8"],
    ["us.anthropic.claude-opus-4-8-20260401-v1:0", "claude-opus-4-8"],
    ["anthropic.claude-haiku-5-5", "claude-haiku-5-5"],
    ["claude-opus-4-5@20251101", "claude-opus-4-5"],
    ["anthropic/claude-opus-4.8", "claude-opus-4-8"],
    ["accounts/fireworks/models/kimi-k3", "kimi-k3"],
    ["gpt-5.6-sol-2026-06-01", "gpt-5-6-sol"],
    ["gpt-6.2-sol", "gpt-6-2-sol"],
    ["deepseek-v4-pro[1m]", "deepseek-v4-pro"],
    ["MiniMax-M2.7", "minimax-m2-7"],
    ["", ""],
  ])("is told from %s", (model, id) => {
    expect(plainId(model)).toBe(id);
  });

  it.each([
    ["claude-opus-5-5", 1_000_000, 128_000],
    ["claude-fable-5-2", 1_000_000, 128_000],
    ["claude-sonnet-4-6", 1_000_000, 64_000],
    ["claude-opus-4-6", 1_000_000, 128_000],
    ["claude-haiku-4-5-20251001", 200_000, 64_000],
    ["claude-3-5-haiku-20241022", 200_000, undefined],
    ["gpt-6-astra", 1_050_000, 128_000],
    ["gpt-6.1-terra", 1_050_000, 128_000],
    ["gpt-5.5", undefined, undefined],
    ["gemini-4-argon", 1_048_576, 65_536],
    ["gemini-3.8-flash", 1_048_576, 65_536],
    ["gemini-2.5-pro", 1_048_576, 65_535],
    ["MiniMax-M2.7", 204_800, undefined],
  ])("%s has its window and limit", (model, contextWindow, maxOutputTokens) => {
    const facts = findKnown(model)?.facts;
    expect([facts?.contextWindow, facts?.maxOutputTokens]).toEqual([contextWindow, maxOutputTokens]);
  });

  it("says who cannot see", () => {
    expect(findKnown("deepseek-v4-pro")?.facts.images).toBe(false);
    expect(findKnown("gpt-oss-120b")?.facts.images).toBe(false);
    expect(findKnown("gpt-6-sol")?.facts.images).toBe(true);
    expect(findKnown("my-own-model")).toBeUndefined();
  });
});

describe("models", () => {
  it("are known by family at once, and by the catalog once it is loaded", async () => {
    const models = createModels();
    expect(models.isLoaded).toBe(false);
    expect(models.lookUp("anthropic", "claude-opus-5-5", now)).toEqual({
      facts: { contextWindow: 1_000_000, maxOutputTokens: 128_000, images: true, documents: true, tools: true, reasoning: true },
      prices: undefined,
    });
    await models.load();
    expect(models.isLoaded).toBe(true);
    const prices = models.lookUp("anthropic", "claude-opus-5-5", now).prices ?? {};
    expect([prices.input, prices.output, prices.cacheRead, prices.cacheWrite].map((price = 0) => price * 1e6)).toEqual([4, 20, 0.2, 5]);
  });

  it.each([
    ["azure", "gpt-6-astra", 10e-6],
    ["bedrock", "us.anthropic.claude-opus-4-8", 5.5e-6],
    ["vertex_ai", "claude-opus-5-5", 4e-6],
    ["gemini", "gemini-3.8-flash", 0.75e-6],
    ["deepseek_anthropic", "deepseek-v4-pro", 0.66e-6],
    ["moonshot", "kimi-k3", 3e-6],
    ["groq", "openai/gpt-oss-120b", 0.15e-6],
    ["openrouter", "anthropic/claude-opus-4.8", 5e-6],
  ])("of %s named %s have the price of their provider", async (provider, model, input) => {
    const models = createModels();
    await models.load();
    expect(models.lookUp(provider, model, now).prices?.input).toBeCloseTo(input, 12);
  });

  it("take windows from the catalog where the families say none", async () => {
    const models = createModels();
    await models.load();
    expect(models.lookUp("moonshot", "kimi-k3", now).facts.contextWindow).toBe(1_048_576);
    expect(models.lookUp("openai", "gpt-5.5", now).facts.contextWindow).toBe(1_000_000);
  });

  it("that nobody knows have no facts and no prices", async () => {
    const models = createModels();
    await models.load();
    expect(models.lookUp("openai", "my-own", now)).toEqual({ facts: {}, prices: undefined });
    expect(models.lookUp("hosted_vllm", "claude-opus-5-5", now).prices).toBeUndefined();
  });

  it("that the catalog lacks have the prices of our own table, from the day on which they hold", () => {
    const models = createModels();
    expect(models.lookUp("anthropic", "claude-haiku-5-5", now).prices).toEqual({
      input: 0.1 / 1e6,
      output: 0.5 / 1e6,
      cacheRead: undefined,
      cacheWrite: 0.125 / 1e6,
      above: [{ tokens: 100_000, input: 0.5 / 1e6, output: 2.5 / 1e6, cacheRead: undefined, cacheWrite: 0.625 / 1e6 }],
    });
    expect(models.lookUp("gemini", "gemini-4-argon", now).prices?.output).toBe(10 / 1e6);
    expect(models.lookUp("gemini", "gemini-4-argon", new Date("2026-12-01T00:00:00Z")).prices?.output).toBe(20 / 1e6);
  });

  it("are asked for once in a while, not with every request", () => {
    const find = vi.fn<Catalog["find"]>(() => undefined);
    const models = createModels(async () => ({ find }));
    return models.load().then(() => {
      for (let minute = 0; minute < 25; minute++) models.lookUp("openai", "m", new Date(now.getTime() + minute * 60_000));
      expect(find).toHaveBeenCalledTimes(3);
      for (let index = 0; index < 3000; index++) models.lookUp("openai", `m-${index}`, now);
      models.lookUp("openai", "m-2999", now);
      expect(find).toHaveBeenCalledTimes(3003);
      // Names come from clients: no more of them are kept than a few.
      models.lookUp("openai", "m-0", now);
      return expect(find).toHaveBeenCalledTimes(3004);
    });
  });

  it("are loaded once, and are as good as unknown where that fails", async () => {
    const open = vi.fn<() => Promise<Catalog>>(() => Promise.reject(new Error("gone")));
    const models = createModels(open);
    await Promise.all([models.load(), models.load()]);
    expect(open).toHaveBeenCalledTimes(1);
    expect(models.isLoaded).toBe(false);
    expect(models.lookUp("anthropic", "claude-opus-5-5", now).facts.contextWindow).toBe(1_000_000);
  });

  it("behind a deployment are those that model_info names", async () => {
    const models = createModels();
    await models.load();
    const deployment = { providerName: "azure", model: "prod" };
    expect(lookUpDeployment({ ...deployment, info: {} }, models)).toEqual({ facts: {}, prices: undefined });
    for (const base_model of ["gpt-6-astra", "azure/gpt-6-astra"]) {
      expect(lookUpDeployment({ ...deployment, info: { base_model } }, models).prices?.input).toBeCloseTo(10e-6, 12);
    }
  });
});

describe("prices of the catalog", () => {
  it("count what was cached as input where a cache has no price of its own", async () => {
    const catalog = await loadCatalog();
    const prices = catalog.find("mistral", "mistral-large-latest", now)?.prices;
    expect(prices?.cacheRead).toBe(prices?.input);
    expect(prices?.input).toBeGreaterThan(0);
  });

  it("rise with the size of the request, as the list says", async () => {
    const catalog = await loadCatalog();
    const prices = catalog.find("openai", "gpt-6-sol", now)?.prices ?? {};
    expect(pricesAt(prices, 272_000)).toMatchObject({ input: 2e-6, output: 10e-6 });
    expect(pricesAt(prices, 272_001)).toMatchObject({ input: 4e-6, output: 15e-6 });
  });
});

describe("prices of model_info", () => {
  it("are read in LiteLLM's words, steps among them", () => {
    const prices = pricesOfInfo({
      input_cost_per_token: "3e-06",
      output_cost_per_token: 15e-6,
      input_cost_per_token_above_200k_tokens: 6e-6,
      cache_read_input_token_cost_above_128k_tokens: 1e-6,
      max_input_tokens: 5,
    });
    expect(prices).toEqual({
      input: 3e-6,
      output: 15e-6,
      above: [
        { tokens: 128_000, input: 3e-6, output: 15e-6, cacheRead: 1e-6 },
        { tokens: 200_000, input: 6e-6, output: 15e-6 },
      ],
    });
    expect(pricesAt(prices ?? {}, 200_000)).toMatchObject({ input: 3e-6 });
    expect(pricesAt(prices ?? {}, 200_001)).toMatchObject({ input: 6e-6 });
    expect(pricesOfInfo({ max_input_tokens: 5, supports_vision: true })).toBeUndefined();
  });
});

it("the package is not loaded before somebody asks for it", () => {
  const href = (file: string): string => JSON.stringify(new URL(`../../../core/${file}`, import.meta.url).href);
  const script = `
    import { registerHooks } from "node:module";
    let isAsked = false;
    registerHooks({ resolve: (specifier, context, next) => ((isAsked ||= specifier.includes("genai-prices")), next(specifier, context)) });
    await import(${href("spend/cost.ts")});
    const { models } = await import(${href("models/look-up.ts")});
    models.lookUp("anthropic", "claude-opus-5-5");
    console.log(isAsked);
    await models.load();
    console.log(isAsked);
  `;
  const run = spawnSync(process.execPath, ["--input-type=module", "--eval", script], { encoding: "utf8" });
  expect(run.stdout.trim().split("\n"), run.stderr).toEqual(["false", "true"]);
});
