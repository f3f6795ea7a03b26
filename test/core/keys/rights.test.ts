import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import { isAddressAllowed } from "../../../core/keys/address-access.ts";
import { gridOf } from "../../../core/keys/durations.ts";
import { decodeKeyGenerate } from "../../../core/keys/key-request.ts";
import { isModelAllowed } from "../../../core/keys/model-access.ts";
import { refuseGrant, withBudget } from "../../../core/keys/rights.ts";
import { isRouteAllowed } from "../../../core/keys/route-access.ts";
import type { BudgetWindow, VirtualKey } from "../../../sdk/keys.ts";

const granting = { accessGroups: new Set(["beta"]), isAdmin: false };
const keyOf = (body: object): VirtualKey => decodeKeyGenerate(body, 0, undefined).key;
const refusals = (creator: object, wanted: object, more: object = {}): readonly string[] =>
  refuseGrant(keyOf(creator), keyOf(wanted), { ...granting, ...more });

describe("a grant", () => {
  test("of a key without limits may be anything", () => {
    expect(
      refusals({ allowed_routes: ["*"] }, { max_budget: 9, allowed_routes: ["management_routes"], models: ["x"], rpm_limit: 1 }),
    ).toEqual([]);
    expect(refusals({}, {})).toEqual([]);
  });

  test.each([
    [{ rpm_limit: 5 }, { rpm_limit: 5 }, { rpm_limit: 6 }, "rpm_limit: more than the 5 of your key"],
    [{ rpm_limit: 0 }, { rpm_limit: 0 }, {}, "rpm_limit: more than the 0 of your key"],
    [{ tpm_limit: 5 }, { tpm_limit: 1 }, {}, "tpm_limit: more than the 5 of your key"],
    [{ max_parallel_requests: 1 }, { max_parallel_requests: 1 }, {}, "max_parallel_requests: more than the 1 of your key"],
    [{ model_rpm_limit: { o: 1 } }, { model_rpm_limit: { o: 1 } }, { model_rpm_limit: { h: 1 } }, 'model_rpm_limit["o"]: more than the 1'],
    [{ model_tpm_limit: { o: 1 } }, { tpm_limit: 1 }, {}, 'model_tpm_limit["o"]: more than the 1'],
    [{ max_budget: 5 }, { max_budget: 5 }, { max_budget: 5.1 }, "max_budget: wanted one of at most 5 US dollars in all, as your key has"],
    [{ max_budget: 5 }, { max_budget: 4 }, {}, "max_budget: wanted"],
    [{ max_budget: 5 }, { max_budget: 4 }, { max_budget: 4, budget_duration: "30d" }, "max_budget: wanted"],
    [
      { max_budget: 5, budget_duration: "30d" },
      { max_budget: 5, budget_duration: "1mo" },
      { max_budget: 5, budget_duration: "7d" },
      "at most 5 US dollars in 30d",
    ],
    [{ max_budget: 5, budget_duration: "7d" }, { max_budget: 5 }, { max_budget: 5, budget_duration: "30d" }, "at most 5 US dollars in 7d"],
    [
      { budget_limits: [{ budget_duration: "1d", max_budget: 1 }] },
      { max_budget: 1, budget_duration: "24h" },
      { max_budget: 1, budget_duration: "1h" },
      "in 1d",
    ],
    [
      { model_max_budget: { o: { budget_limit: 1, time_period: "1d" } } },
      { model_max_budget: { o: { budget_limit: 1, time_period: "1d" } } },
      { model_max_budget: { o: { budget_limit: 2, time_period: "1d" } } },
      'model_max_budget["o"]: wanted',
    ],
    [{ models: ["opus"] }, { models: ["opus"] }, {}, "models: more than your key may use"],
    [{ models: ["opus"] }, { models: ["opus"] }, { models: ["opus", "haiku"] }, "models: more"],
    [{ models: ["b*"] }, { models: ["b2"] }, { models: ["beta"] }, "models: more"],
    [
      { models: ["opus"] },
      { models: ["opus"], aliases: { x: "opus" } },
      { models: ["opus"], aliases: { opus: "gpt" } },
      'aliases["opus"]: a model',
    ],
    [
      { models: ["x"], aliases: { x: "gpt" } },
      { models: ["x"], aliases: { x: "gpt" } },
      { models: ["x"], aliases: { y: "gpt" } },
      'aliases["y"]',
    ],
    [{}, { allowed_routes: ["/v1/messages"] }, { allowed_routes: ["/key/generate"] }, "allowed_routes: more than your key may call"],
    [{ allowed_routes: ["/v1/messages"] }, { allowed_routes: ["/v1/messages"] }, {}, "allowed_routes: more"],
    [{ allowed_ips: ["10.0.0.0/8"] }, { allowed_ips: ["10.1.1.1"] }, {}, "allowed_ips: more than your key may be used from"],
    [{ duration: "1d" }, { duration: "1h" }, {}, "duration: later than your key expires"],
    [{ allowed_cache_controls: ["no-cache"] }, { allowed_cache_controls: [] }, {}, "allowed_cache_controls: more than your key may use"],
    [{ team_id: "t" }, { team_id: "t" }, {}, "team_id: not that of your key"],
    [{ user_id: "u" }, { user_id: "u" }, { user_id: "v" }, "user_id: not that of your key"],
  ])("of %j may be %j, and not %j: %s", (creator, may, mayNot, message) => {
    expect(refusals(creator, may)).toEqual([]);
    expect(refusals(creator, mayNot)).toEqual([expect.stringContaining(message)]);
  });

  test("of an administrator may be for others", () => {
    expect(refusals({ user_id: "u", team_id: "t" }, { user_id: "v" }, { isAdmin: true })).toEqual([]);
  });

  test("of what its team has: within the team, one by one; outside, not at all", () => {
    const creator = { team_id: "t", models: ["all-team-models"] };
    expect(refusals(creator, { team_id: "t", models: ["all-team-models"] }, { teamModels: ["opus"] })).toEqual([]);
    expect(refusals(creator, { team_id: "t", models: ["opus"] }, { teamModels: ["opus"] })).toEqual([]);
    expect(refusals(creator, { team_id: "t", models: ["haiku"] }, { teamModels: ["opus"] })).toHaveLength(1);
    expect(refusals(creator, { team_id: "t", models: ["haiku"] }, { teamModels: [] })).toEqual([]);
    expect(refusals(creator, { team_id: "s", models: ["all-team-models"] }, { teamModels: ["opus"], isAdmin: true })).toHaveLength(1);
    expect(refusals(creator, { team_id: "s", models: [] }, { teamModels: ["opus"], isAdmin: true })).toHaveLength(1);
  });

  test("names everything that is too much", () => {
    expect(refusals({ rpm_limit: 1, tpm_limit: 1, models: ["a"] }, {})).toHaveLength(3);
  });
});

test("a budget's terms hold where a key has none of its own", () => {
  const budget = { id: "b", maxBudget: 5, rpm: 2, createdAt: 1, updatedAt: 1 };
  const key = { ...keyOf({ rpm_limit: 7 }), maxBudget: undefined };
  expect(withBudget(key, budget)).toEqual({ ...key, maxBudget: 5, rpm: 7 });
  expect(withBudget(key, undefined)).toBe(key);
});

/** Small worlds, in which grants succeed often enough. */
const models = ["opus", "haiku", "anthropic/claude", "gpt", "bravo"];
const accessGroups = ["beta"];
const routes = ["/v1/messages", "/v1/models/x", "/key/generate", "/key/info", "/health", "/other"];
const addresses = ["10.1.2.3", "10.9.9.9", "192.0.2.1", "2001:db8::1", "::1", undefined];
const durations = ["24h", "1d", "7d", "30d", "1mo", "1h"];

const optional = <Value>(arbitrary: fc.Arbitrary<Value>): fc.Arbitrary<Value | undefined> => fc.option(arbitrary, { nil: undefined });
const few = <Value extends string>(...values: readonly Value[]): fc.Arbitrary<Value[]> =>
  fc.uniqueArray(fc.constantFrom(...values), { maxLength: 3 });
const number = optional(fc.integer({ min: 0, max: 4 }));
const window = fc.record({ duration: fc.constantFrom(...durations), max: fc.integer({ min: 0, max: 4 }) });
const perModel = <Value>(value: fc.Arbitrary<Value>): fc.Arbitrary<Record<string, Value> | undefined> =>
  optional(fc.dictionary(fc.constantFrom("opus", "gpt"), value, { maxKeys: 2, noNullPrototype: true }));

const anyPart = fc.record({
  models: few(...models, ...accessGroups, "b*", "*", "anthropic/*", "all-proxy-models", "all-team-models", "no-default-models"),
  aliases: fc.dictionary(fc.constantFrom("fast", "opus"), fc.constantFrom("haiku", "gpt"), { maxKeys: 1, noNullPrototype: true }),
  allowedRoutes: few("/v1/*", "/v1/messages", "/key/*", "/key/info", "*", "llm_api_routes", "management_routes", "info_routes"),
  allowedAddresses: few("10.0.0.0/8", "10.1.0.0/16", "10.1.2.3", "::/0", "2001:db8::/32", "0.0.0.0/0"),
  expiresAt: number,
  maxBudget: number,
  budgetDuration: optional(fc.constantFrom(...durations)),
  budgetLimits: optional(fc.array(window, { maxLength: 2 })),
  rpm: number,
  tpm: number,
  maxParallelRequests: number,
  modelMaxBudget: perModel(window),
  modelRpm: perModel(fc.integer({ min: 0, max: 4 })),
  modelTpm: perModel(fc.integer({ min: 0, max: 4 })),
});
type Part = typeof anyPart extends fc.Arbitrary<infer Value> ? Value : never;
/** Most steps change one thing only, so that chains get long. */
const anyChange = fc
  .tuple(anyPart, fc.uniqueArray(fc.integer({ min: 0, max: 13 }), { minLength: 1, maxLength: 2 }))
  .map(([part, chosen]): Partial<Part> => Object.fromEntries(Object.entries(part).filter((_, index) => chosen.includes(index))));

const bare = { ...keyOf({}), teamId: "t" };
const team = ["opus", "haiku"];

/** What asking for each name leads to, by a second way of reading the lists than that of the grants. */
function reach(key: VirtualKey): ReadonlySet<string> {
  const isListed = (name: string): boolean =>
    isModelAllowed(
      key.models,
      { name, provider: name === "haiku" ? "anthropic" : undefined, accessGroups: name === "gpt" ? ["beta"] : [] },
      team,
    );
  const aliased = Object.entries(key.aliases).filter(([alias, target]) => isListed(alias) || isListed(target));
  return new Set([...models.filter(isListed), ...aliased.map(([, target]) => target)]);
}

/** The most that may be spent within one period of a grid; Infinity where nothing holds. */
function mostWithin(grid: string | undefined, key: VirtualKey, model?: string): number {
  const ofModel = model === undefined ? undefined : key.modelMaxBudget?.[model];
  const own = key.maxBudget === undefined ? [] : [{ max: key.maxBudget, duration: key.budgetDuration }];
  const windows: readonly (Omit<BudgetWindow, "duration"> & { duration?: string | undefined })[] = [
    ...own,
    ...(key.budgetLimits ?? []),
    ...(ofModel === undefined ? [] : [ofModel]),
  ];
  const holding = windows.filter(({ duration }) => duration === undefined || gridOf(duration) === grid);
  return Math.min(Infinity, ...holding.map(({ max }) => max));
}

test("no chain of grants ever exceeds its root", () => {
  let granted = 0;
  fc.assert(
    fc.property(anyPart, fc.array(anyChange, { minLength: 1, maxLength: 12 }), (first, changes) => {
      const root: VirtualKey = { ...bare, ...first };
      let last = root;
      for (const change of changes) {
        const wanted = { ...last, ...change };
        if (refuseGrant(last, wanted, { accessGroups: new Set(accessGroups), isAdmin: false, teamModels: team }).length > 0) continue;
        last = wanted;
        granted++;
      }
      const most = (value: number | undefined): number => value ?? Infinity;
      for (const name of ["rpm", "tpm", "maxParallelRequests", "expiresAt"] as const)
        expect(most(last[name])).toBeLessThanOrEqual(most(root[name]));
      for (const model of ["opus", "gpt"]) {
        expect(Math.min(most(last.modelRpm?.[model]), most(last.rpm))).toBeLessThanOrEqual(most(root.modelRpm?.[model]));
        expect(Math.min(most(last.modelTpm?.[model]), most(last.tpm))).toBeLessThanOrEqual(most(root.modelTpm?.[model]));
      }
      for (const grid of [undefined, ...durations.map(gridOf)]) {
        expect(mostWithin(grid, last)).toBeLessThanOrEqual(mostWithin(grid, root));
        for (const model of ["opus", "gpt"]) expect(mostWithin(grid, last, model)).toBeLessThanOrEqual(mostWithin(grid, root, model));
      }
      const reached = reach(root);
      for (const model of reach(last)) expect(reached, model).toContain(model);
      for (const route of routes)
        if (isRouteAllowed(last.allowedRoutes, route)) expect(isRouteAllowed(root.allowedRoutes, route), route).toBe(true);
      for (const address of addresses)
        if (isAddressAllowed(last.allowedAddresses, address)) expect(isAddressAllowed(root.allowedAddresses, address), address).toBe(true);
    }),
    { numRuns: 3000 },
  );
  // Else it would hold because nothing was ever granted.
  expect(granted).toBeGreaterThan(3000);
});
