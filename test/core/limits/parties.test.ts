import { describe, expect, test } from "vitest";

import { defaultStores } from "../../../core/config/stores.ts";
import { decodeKeyGenerate } from "../../../core/keys/key-request.ts";
import { decodeTeamNew } from "../../../core/keys/team-request.ts";
import { decodeUserNew } from "../../../core/keys/user-request.ts";
import { defaultRouting } from "../../../core/config/router-types.ts";
import { limitsOf } from "../../../core/limits/demands.ts";
import { type Belonging, partiesOf, partiesOfDeployment } from "../../../core/limits/parties.ts";

const now = Date.parse("2026-11-23T10:00:00Z");
const dollar = 1_000_000_000;
const keyOf = (body: object = {}): ReturnType<typeof decodeKeyGenerate>["key"] => decodeKeyGenerate(body, now, undefined).key;
const userOf = (body: object): ReturnType<typeof decodeUserNew>["user"] => decodeUserNew({ user_id: "u", ...body }, now).user;
const teamOf = (body: object): ReturnType<typeof decodeTeamNew>["team"] => decodeTeamNew({ team_id: "t", ...body }, now).team;

const belonging = (more: Partial<Belonging> = {}): Belonging => ({
  holder: undefined,
  tags: [],
  config: { stores: defaultStores, deployments: [] },
  group: "opus",
  ...more,
});
/** Owner, type and limit of each. */
const told = (more: Partial<Belonging>): readonly string[] =>
  limitsOf(partiesOf(belonging(more)), now).map(({ owner, type, max, budget }) =>
    [owner, type, type === "budget" ? max / dollar : max, ...(budget === undefined ? [] : [budget.duration ?? "ever"])].join(" "),
  );

describe("a request has to fit into the limits", () => {
  test("of nobody, where there are none", () => {
    expect(partiesOf(belonging({ holder: { key: keyOf(), user: userOf({}), team: teamOf({}) }, tags: ["a"] }))).toEqual([]);
  });

  test("of its key, of all windows", () => {
    const key = keyOf({
      rpm_limit: 1,
      tpm_limit: 2,
      max_parallel_requests: 3,
      max_budget: 4,
      budget_duration: "30d",
      budget_limits: [
        { budget_duration: "1d", max_budget: 1 },
        { budget_duration: "30d", max_budget: 3 },
        { budget_duration: "1d", max_budget: 2 },
      ],
    });
    expect(told({ holder: { key } })).toEqual([
      "api_key max_parallel_requests 3",
      "api_key requests 1",
      "api_key tokens 2",
      "api_key budget 3 30d",
      "api_key budget 1 1d",
    ]);
  });

  test("of its model, of key, user and team", () => {
    const terms = {
      model_max_budget: { opus: { max_budget: 1, budget_duration: "1d" }, haiku: { max_budget: 2, budget_duration: "1d" } },
      model_rpm_limit: { opus: 5 },
      model_tpm_limit: { haiku: 6 },
    };
    expect(told({ holder: { key: keyOf(terms), user: userOf(terms), team: teamOf({ model_rpm_limit: { opus: 9 } }) } })).toEqual([
      "model_per_key requests 5",
      "model_per_key budget 1 1d",
      "model_per_user requests 5",
      "model_per_user budget 1 1d",
      "model_per_team requests 9",
    ]);
    expect(told({ holder: { key: keyOf(terms) }, group: "constructor" })).toEqual([]);
  });

  test("of its user, except where a team pays", () => {
    const user = userOf({ max_budget: 5, rpm_limit: 7, model_max_budget: { opus: { max_budget: 1, budget_duration: "1d" } } });
    expect(told({ holder: { key: keyOf(), user } })).toEqual(["user requests 7", "user budget 5 ever", "model_per_user budget 1 1d"]);
    expect(told({ holder: { key: keyOf({ team_id: "t" }), user, team: teamOf({ max_budget: 50 }) } })).toEqual([
      "user requests 7",
      "team budget 50 ever",
    ]);
  });

  test("of the team for one of its members", () => {
    const team = teamOf({
      max_budget: 50,
      budget_duration: "7d",
      members_with_roles: [
        { user_id: "u", role: "user", max_budget_in_team: 2 },
        { user_id: "v", role: "user", max_budget_in_team: 3 },
      ],
    });
    const parties = partiesOf(belonging({ holder: { key: keyOf({ team_id: "t", user_id: "u" }), team } }));
    expect(parties.at(-1)).toEqual({
      owner: "team_member",
      id: "t:u",
      budgets: [{ max: 2 * dollar, duration: "7d" }],
      spending: { filter: { teamId: "t", userId: "u" } },
    });
  });

  test("of its tags, once each, and of everybody", () => {
    const stores = {
      ...defaultStores,
      tagBudgets: new Map([["chat", { max: 0.5, duration: "1d" }]]),
      budget: { max: 100, duration: undefined },
      maxParallelRequests: 8,
    };
    expect(told({ tags: ["chat", "other", "chat"], config: { stores, deployments: [] } })).toEqual([
      "tag budget 0.5 1d",
      "global max_parallel_requests 8",
      "global budget 100 ever",
    ]);
  });

  test("of a budget that its key names, where the key has none of its own", () => {
    const budget = { id: "b", rpm: 1, maxBudget: 9 * dollar, budgetDuration: "7d", createdAt: now, updatedAt: now };
    const key = keyOf({ budget_id: "b", rpm_limit: 4 });
    const budgetOf = (id: string): typeof budget | undefined => (id === "b" ? budget : undefined);
    expect(told({ holder: { key }, budgetOf })).toEqual(["api_key requests 4", "api_key budget 9 7d"]);
    expect(partiesOf(belonging({ holder: { key }, budgetOf }))[0]).toMatchObject({ id: key.id, spending: { filter: { keyId: key.id } } });
  });
});

test("a soft budget counts, and refuses nothing", () => {
  const [limit] = limitsOf(partiesOf(belonging({ holder: { key: keyOf({ soft_budget: 3, budget_duration: "1d" }) } })), now);
  expect(limit).toMatchObject({ max: Number.MAX_SAFE_INTEGER, budget: { max: undefined, soft: 3 * dollar, duration: "1d" } });
});

test("what was spent in a group is what its deployments cost, whatever their account", () => {
  const key = keyOf({ model_max_budget: { opus: { max_budget: 1, budget_duration: "1d" } } });
  const deployments = [
    { id: "a", group: "opus" },
    { id: "b", group: "haiku" },
  ];
  const [party] = partiesOf(belonging({ holder: { key }, config: { stores: defaultStores, deployments } }));
  const { only } = party!.spending;
  expect(only?.by).toBe("deployment");
  expect(["a", "a~2", "b", "ab", ""].filter((id) => only?.has(id))).toEqual(["a", "a~2"]);
});

test("deployments and providers have budgets, and nothing else here", () => {
  const providerBudgets = new Map([["groq", { max: 3, duration: "7d" }]]);
  const routing = { ...defaultRouting, rpm: 5, tpm: 5, maxParallelRequests: 5, budget: { max: 2, duration: "1d" } };
  const parties = partiesOfDeployment({ deploymentId: "d", providerName: "groq", routing }, { stores: { providerBudgets } });
  expect(limitsOf(parties, now).map(({ key, max }) => [key, max])).toEqual([
    ["deployment:d:budget:1d", 2 * dollar],
    ["provider:groq:budget:7d", 3 * dollar],
  ]);
  expect(parties.map(({ spending: { only } }) => [only?.by, only?.has("d"), only?.has("groq")])).toEqual([
    ["deployment", true, false],
    ["provider", false, true],
  ]);
  const other = { deploymentId: "d", providerName: "openai", routing: defaultRouting };
  expect(partiesOfDeployment(other, { stores: { providerBudgets } })).toEqual([]);
});
