import { describe, expect, test } from "vitest";

import { actualOf, demandsOf, type Limited, type PeriodBudget, tightest } from "../../../core/limits/demands.ts";
import { limitRefusal } from "../../../core/limits/refusal.ts";
import { createMemoryLimits } from "../../../plugins/memory/limits.ts";

const budget: PeriodBudget = { max: 1000, duration: "24h", period: "2026-11-23", endsInMs: 5000, spent: 10 };
const key: Limited = {
  owner: "api_key",
  id: "k",
  rpm: 2,
  tpm: 100,
  maxParallelRequests: 3,
  budgets: [budget, { ...budget, duration: undefined, max: 9000 }],
  models: new Map([["opus", { rpm: 1, budgets: [{ ...budget, max: 50 }] }]]),
};
const team: Limited = { owner: "team", id: "t", tpm: 500 };
const request = { group: "haiku", tokens: 40, cost: 70 };

describe("a request takes", () => {
  test("of each party what that one is limited in", () => {
    const { demands, limits } = demandsOf([key, team], request);
    expect(demands).toEqual([
      { kind: "slot", key: "api_key:k:slots", limit: 3 },
      { kind: "window", key: "api_key:k:rpm", amount: 1, limit: 2, windowMs: 60_000 },
      { kind: "window", key: "api_key:k:tpm", amount: 40, limit: 100, windowMs: 60_000 },
      { kind: "budget", key: "api_key:k:budget:24h", amount: 70, limit: 1000, period: "2026-11-23", endsInMs: 5000, spent: 10 },
      { kind: "budget", key: "api_key:k:budget:ever", amount: 70, limit: 9000, period: "2026-11-23", endsInMs: 5000, spent: 10 },
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

  test("of limits of its model, too", () => {
    const { demands, limits } = demandsOf([key], { ...request, group: "opus" });
    expect(demands.slice(5)).toMatchObject([
      { kind: "window", key: "model_per_key:k:opus:rpm", limit: 1 },
      { kind: "budget", key: "model_per_key:k:opus:budget:24h", limit: 50 },
    ]);
    expect(limits.at(-1)).toMatchObject({ owner: "model_per_key", id: "k:opus", type: "budget" });
  });

  test("nothing where nobody has limits", () => {
    expect(demandsOf([{ owner: "user", id: "u" }], request)).toEqual({ demands: [], limits: [] });
  });

  test("nothing of a budget where its cost is not known, yet there has to be one", async () => {
    const limits = createMemoryLimits(() => 0);
    const free = { ...request, cost: null };
    expect(await limits.reserve("a", demandsOf([key], free).demands, 1000)).toMatchObject({ isGranted: true });
    const usedUp: Limited = { owner: "user", id: "u", budgets: [{ ...budget, max: 10 }] };
    expect(await limits.reserve("b", demandsOf([usedUp], free).demands, 1000)).toMatchObject({ isGranted: false });
  });
});

test("what was really taken stands where it was reserved", () => {
  const taken = demandsOf([key, team], request);
  expect(actualOf(taken, 55, 33)).toEqual([undefined, undefined, 55, 33, 33, 55]);
  expect(actualOf(taken, undefined, null)).toEqual([undefined, undefined, undefined, undefined, undefined, undefined]);
});

test("the budget that is told of is the one that is nearest to its end", async () => {
  const taken = demandsOf([key, team], { ...request, group: "opus", cost: 20 });
  const reserved = await createMemoryLimits(() => 0).reserve("a", taken.demands, 1000);
  if (!reserved.isGranted) throw new Error("it fits");
  expect(tightest(taken, reserved.states)).toMatchObject({ used: 30, limit: { max: 50, owner: "model_per_key" } });
  expect(tightest(demandsOf([team], request), [{ key: "", used: 1, resetsInMs: 1 }])).toBeUndefined();
});

describe("a refusal", () => {
  const now = Date.UTC(2026, 10, 23, 12, 0, 30);

  test("says which limit, how large, and when there is room again", () => {
    const { limits } = demandsOf([{ ...team, id: "core" }], request);
    const { message, status, kind, headers } = limitRefusal(limits[0]!, { key: "", used: 480, resetsInMs: 29_500 }, now);
    expect([status, kind]).toEqual([429, "rate_limit_error"]);
    expect(message).toBe(
      "Rate limit exceeded for team: core. Limit type: tokens. Current limit: 500, Remaining: 20. Limit resets at: 2026-11-23 12:00:59 UTC",
    );
    expect(headers).toEqual({ "retry-after": "30", rate_limit_type: "tokens", reset_at: "2026-11-23 12:00:59 UTC" });
  });

  test("shows the beginning of a key's id", () => {
    const { limits } = demandsOf([{ ...key, id: "ab".repeat(32) }], request);
    const { message, headers } = limitRefusal(limits[0]!, { key: "", used: 3, resetsInMs: undefined }, now);
    expect(message).toContain("for api_key: abababab…. Limit type: max_parallel_requests.");
    expect(headers["retry-after"]).toBe("1");
  });
});
