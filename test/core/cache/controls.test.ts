import { describe, expect, test } from "vitest";

import { noCacheControls, readCacheControls, readCacheRequest } from "../../../core/cache/controls.ts";

describe("controls of the cache", () => {
  test("are none where none are given", () => {
    expect(readCacheControls(undefined)).toBe(noCacheControls);
    expect(readCacheControls(null)).toBe(noCacheControls);
    expect(readCacheControls({})).toEqual(noCacheControls);
  });

  test("are LiteLLM's", () => {
    expect(readCacheControls({ ttl: 60, "s-maxage": 5, "no-cache": true, "no-store": true, namespace: "n", "use-cache": true })).toEqual({
      ttlMs: 60_000,
      maxAgeMs: 5000,
      isFresh: true,
      isNotKept: true,
      namespace: "n",
      isWanted: true,
    });
  });

  test.each([
    ["no", "cache: found a text; wanted an object with ttl"],
    [[], "cache: found a list; wanted an object"],
    [{ tll: 5 }, "cache.tll: found 5; wanted one of ttl"],
    [{ ttl: 0 }, "cache.ttl: found 0; wanted seconds"],
    [{ "no-cache": "maybe" }, "cache.no-cache: found a text; wanted true or false"],
    [{ namespace: "x".repeat(101) }, "cache.namespace: found a text; wanted a text of at most 100 characters"],
    [{ namespace: "" }, "cache.namespace: found a text"],
  ])("that hold something else are refused by their name: %j", (value, message) => {
    expect(() => readCacheControls(value)).toThrow(expect.objectContaining({ status: 400, message: expect.stringContaining(message) }));
  });

  test("that a key does not allow are refused", () => {
    expect(readCacheControls({ ttl: 1 }, ["ttl"]).ttlMs).toBe(1000);
    expect(() => readCacheControls({ "no-cache": true }, ["ttl"])).toThrow("what this key allows: ttl");
    expect(() => readCacheControls({ ttl: 1 }, [])).toThrow("what this key allows: nothing");
  });
});

describe("the header cache-control", () => {
  test.each([
    ["no-cache", { isFresh: true }],
    ["No-Store", { isNotKept: true }],
    ["no-cache, no-store", { isFresh: true, isNotKept: true }],
    ["s-maxage=5", { maxAgeMs: 5000 }],
    ['ttl="60"', { ttlMs: 60_000 }],
    ["max-age=0, private", {}],
    ["s-maxage=-1, ttl=x, ttl", {}],
  ])("says as much: %s", (header, said) => {
    expect(readCacheRequest(undefined, header)).toEqual({ ...noCacheControls, ...said });
  });

  test("stands behind the body", () => {
    expect(readCacheRequest({ ttl: 1 }, "ttl=60, no-cache")).toEqual({ ...noCacheControls, ttlMs: 1000, isFresh: true });
  });

  test("that says nothing of it, or what the key may not say, counts for nothing", () => {
    expect(readCacheRequest(undefined, "max-age=0")).toBe(noCacheControls);
    expect(readCacheRequest(undefined, "no-store", ["ttl"])).toBe(noCacheControls);
  });
});
