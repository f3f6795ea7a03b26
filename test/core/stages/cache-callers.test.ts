import { describe, expect, test, vi } from "vitest";

import type { createChain } from "../../../core/chain.ts";
import type { CacheServices } from "../../../core/stages/cache.ts";
import { CachedProxy } from "../cache/cached-proxy.ts";
import type { OwnServices } from "../cache/spliced-chain.ts";

const own = vi.hoisted(() => ({ services: {} as OwnServices }));

vi.mock("../../../core/chain.ts", async (original) => {
  const chainOf = (await original<{ readonly createChain: typeof createChain }>()).createChain;
  const { withCache } = await import("../cache/spliced-chain.ts");
  const create: typeof createChain = (services, route) => withCache(chainOf(services, route), { ...services, ...own.services });
  return { createChain: create };
});

const here = new CachedProxy(own);

describe("replies are shared", () => {
  const tokens = { a: "Bearer sk-own-a", b: "Bearer sk-own-b" };

  test.each([true, false])("by nobody who brings credentials of its own (shared: %s)", async (shared) => {
    await here.start({ params: { shared } });
    await here.send({}, { authorization: tokens.a });
    expect((await here.send({}, { authorization: tokens.b })).text).toContain("answer 1");
    expect((await here.send()).text).toContain("answer 2");
    expect((await here.send({}, { authorization: tokens.a })).text).toContain("answer 0");
  });

  test.each([
    [true, "answer 0"],
    [false, "answer 1"],
  ])("by callers with different keys only where it is configured: %s", async (shared, text) => {
    const keyIdOf: CacheServices["keyIdOf"] = ({ headers }) => headers.get("x-key");
    await here.start({ params: { shared }, services: { keyIdOf } });
    await here.send({}, { "x-key": "a" });
    expect((await here.send({}, { "x-key": "b" })).text).toContain(text);
    expect((await here.send({}, { "x-key": "a" })).text).toContain("answer 0");
  });

  test("by callers with different keys that ask at the same time neither", async () => {
    const keyIdOf: CacheServices["keyIdOf"] = ({ headers }) => headers.get("x-key");
    await here.start({ services: { keyIdOf } });
    await Promise.all(["a", "b", "a", "b"].map(async (id) => here.send({}, { "x-key": id })));
    expect(here.upstream.requestsTo().length).toBe(2);
  });

  test("not by requests to different models", async () => {
    await here.start();
    await here.send();
    expect((await here.send({ model: "n" })).text).toContain("answer 1");
  });
});

describe("a request is cached", () => {
  const tools = [{ name: "t", input_schema: { type: "object" } }];

  test.each<[string, Readonly<Record<string, unknown>>, Readonly<Record<string, unknown>>, number]>([
    ["unless it has tools", {}, { tools }, 2],
    ["with an empty list of tools", {}, { tools: [] }, 1],
    ["with tools where it is configured", { tools: true }, { tools }, 1],
    ["with tools when it asks for it", {}, { tools, cache: { "use-cache": true } }, 1],
    ["unless the configuration has it off", { mode: "default_off" }, {}, 2],
    ["when it asks for it", { mode: "default_off" }, { cache: { "use-cache": true } }, 1],
    ["unless it asks for none", {}, { cache: { "use-cache": false } }, 2],
    ["unless its kind is not configured", { supported_call_types: ["aembedding"] }, {}, 2],
  ])("%s", async (_, params, more, asked) => {
    await here.start({ params });
    await here.send(more);
    await here.send(more);
    expect(here.upstream.requestsTo().length).toBe(asked);
  });
});
