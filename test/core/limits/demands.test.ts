import { describe, expect, test } from "vitest";

import { type Limited, actualOf, demandsOf, limitsOf, tightest } from "../../../core/limits/demands.ts";
import { limitRefusal } from "../../../core/limits/refusal.ts";
import { createMemoryLimits } from "../../../plugins/memory/limits.ts";

const now = Date.UTC(2026, 10, 23, 12, 0, 30);
const midnight = Date.UTC(2026, 10, 24);
const spending = { filter: {} };
const key: Limited = {
  owner: "api_key",
  id: "k",
  rpm: 2,
  tpm: 100,
  maxParallelRequests: 3,
  budgets: [
    { max: 1000, duration: "24h" },
    { max: 9000, duration: undefined },
  ],
  spending,
};
const model: Limited = { owner: "model_per_key", id: "k:opus", rpm: 1, budgets: [{ max: 50, duration: "24h" }], spending };
const team: Limited = { owner: "team", id: "t", tpm: 500, spending };
const request = { tokens: 40, cost: 70 };
const demanded = (
  limits: ReturnType<typeof limitsOf>,
  consumption: Parameters<typeof demandsOf>[1] = request,
): ReturnType<typeof demandsOf> => demandsOf(limits, consumption, () => 10, now);

describe("a request takes", () => {
  test("of each party what that one is limited in", () => {
    const limits = limitsOf([key, team], now);
    expect(demanded(limits)).toEqual([
      { kind: "slot", key: "api_key:k:slots", limit: 3 },
      { kind: "window", key: "api_key:k:rpm", amount: 1, limit: 2, windowMs: 60_000 },
      { kind: "window", key: "api_key:k:tpm", amount: 40, limit: 100, windowMs: 60_000 },
      {
        kind: "budget",
        key: "api_key:k:budget:24h",
        amount: 70,
        limit: 1000,
        period: "2026-11-23T00:00Z",
        endsInMs: midnight - now,
        spent: 10,
      },
      { kind: "budget", key: "api_key:k:budget:ever", amount: 70, limit: 9000, period: "ever", endsInMs: undefined, spent: 10 },
      { kind: "window", key: "team:t:tpm", amount: 40, limit: 500, windowMs: 60_000 },
    ]);
    expect(limits.map(({ owner, type }) => `${owner} ${type}`)).toEqual([
      "api_key max_parallel_requests",
      "api_key requests",
      "api_key tokens",
      "api_key budget",
      "api_key budget",
      "team tokens",
    ]);
  });

  test("nothing where nobody has limits", () => {
    expect(limitsOf([{ owner: "user", id: "u", spending }], now)).toEqual([]);
  });

  test("nothing of a budget where its cost is not known, yet there has to be one", async () => {
    const limits = createMemoryLimits(() => 0);
    const free = { ...request, cost: null };
    expect(await limits.reserve("a", demanded(limitsOf([key], now), free), 1000)).toMatchObject({ isGranted: true });
    const usedUp: Limited = { owner: "user", id: "u", budgets: [{ max: 10, duration: "24h" }], spending };
    expect(await limits.reserve("b", demanded(limitsOf([usedUp], now), free), 1000)).toMatchObject({ isGranted: false });
  });

  test("as much as it likes of a budget that only tells", async () => {
    const soft: Limited = { owner: "user", id: "u", budgets: [{ max: undefined, soft: 5, duration: "24h" }], spending };
    const limits = limitsOf([soft], now);
    const reserved = await createMemoryLimits(() => 0).reserve("a", demanded(limits), 1000);
    if (!reserved.isGranted) throw new Error("it fits");
    expect(reserved.states[0]?.used).toBe(80);
    expect(tightest(limits, reserved.states)).toBeUndefined();
  });
});

test("a period that has ended meanwhile is over at once", () => {
  const limits = limitsOf([{ ...key, budgets: [{ max: 1000, duration: "24h" }] }], now);
  expect(demandsOf(limits, request, () => 10, midnight + 5).at(-1)).toMatchObject({ period: "2026-11-23T00:00Z", endsInMs: 1 });
});

test("what was really taken stands where it was reserved", () => {
  const limits = limitsOf([key, team], now);
  expect(actualOf(limits, 55, 33)).toEqual([undefined, undefined, 55, 33, 33, 55]);
  expect(actualOf(limits, undefined, null)).toEqual([undefined, undefined, undefined, undefined, undefined, undefined]);
});

test("the budget that is told of is the one that is nearest to its end", async () => {
  const limits = limitsOf([key, model, team], now);
  const reserved = await createMemoryLimits(() => 0).reserve("a", demanded(limits, { ...request, cost: 20 }), 1000);
  if (!reserved.isGranted) throw new Error("it fits");
  expect(tightest(limits, reserved.states)).toMatchObject({ used: 30, limit: { max: 50, owner: "model_per_key" } });
  expect(tightest(limitsOf([team], now), [{ key: "", used: 1, resetsInMs: 1 }])).toBeUndefined();
});

describe("a refusal", () => {
  test("says which limit, how large, and when there is room again", () => {
    const limits = limitsOf([{ ...team, id: "core" }], now);
    const { message, status, kind, headers } = limitRefusal(limits[0]!, { key: "", used: 480, resetsInMs: 29_500 }, now);
    expect([status, kind]).toEqual([429, "rate_limit_error"]);
    expect(message).toBe(
      "Rate limit exceeded for team: core. Limit type: tokens. Current limit: 500, Remaining: 20. Limit resets at: 2026-11-23 12:00:59 UTC",
    );
    expect(headers).toEqual({ "retry-after": "30", rate_limit_type: "tokens", reset_at: "2026-11-23 12:00:59 UTC" });
  });

  test("shows the beginning of a key's id", () => {
    const limits = limitsOf([{ ...key, id: "ab".repeat(32) }], now);
    const { message, headers } = limitRefusal(limits[0]!, { key: "", used: 3, resetsInMs: undefined }, now);
    expect(message).toContain("for api_key: abababab…. Limit type: max_parallel_requests.");
    expect(headers["retry-after"]).toBe("1");
  });
});
