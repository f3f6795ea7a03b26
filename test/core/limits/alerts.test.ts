import { describe, expect, onTestFinished, test } from "vitest";

import { createBudgetAlerts } from "../../../core/limits/alerts.ts";
import { limitsOf } from "../../../core/limits/demands.ts";
import { createLimiter } from "../../../core/limits/hold.ts";
import type { BudgetLimit } from "../../../core/limits/spent.ts";
import { openMemory } from "../../../plugins/memory/index.ts";
import type { LimitStore } from "../../../sdk/limits.ts";
import { startUpstream } from "../../helpers/upstream.ts";
import { jsonReply } from "../../helpers/replies.ts";

const noon = Date.UTC(2026, 10, 23, 12);
const midnight = Date.UTC(2026, 10, 24);
const dollar = 1_000_000_000;
const spending = { filter: {} };

function budget(terms: { readonly max?: number; readonly soft?: number; readonly duration?: string } = {}, now = noon): BudgetLimit {
  const { max = dollar, soft, duration = "24h" } = terms;
  const [limit] = limitsOf([{ owner: "api_key", id: "ab12", name: "ci", budgets: [{ max, soft, duration }], spending }], now);
  if (limit?.budget === undefined) throw new Error("it is a budget");
  return { ...limit, budget: limit.budget };
}

function setUp(urls: readonly string[] = [], limits: LimitStore = openMemory({ now: () => 0, wallClock: () => noon }).limits) {
  const lines: (readonly [fields: unknown, message: string | undefined])[] = [];
  const works: Promise<unknown>[] = [];
  const alerts = createBudgetAlerts({
    limits,
    wallClock: () => noon,
    urls: () => urls,
    inBackground: (work) => void works.push(work),
    logger: { warn: (fields, message) => void lines.push([fields, message]) },
  });
  const said = async (): Promise<readonly (string | undefined)[]> => {
    await Promise.all(works);
    return lines.map(([, message]) => message);
  };
  return { alerts, lines, said, limits };
}

describe("somebody is told", () => {
  test("of each threshold once, as it is passed", async () => {
    const { alerts, said } = setUp();
    const limit = budget({ soft: dollar / 2 });
    for (const share of [0.4, 0.5, 0.6, 0.84, 0.85, 0.9, 0.99, 1, 1.2]) alerts.look(limit, share * dollar);
    expect(await said()).toEqual([
      "Budget of key ci for 24h has passed its soft budget: $0.50 of $0.50.",
      "Budget of key ci for 24h is nearly used up: $0.85 of $1.00.",
      "Budget of key ci for 24h is used up: $1.00 of $1.00.",
    ]);
  });

  test("that all is gone, and not that it was nearly so as well", async () => {
    const { alerts, said } = setUp();
    alerts.look(budget(), 2 * dollar);
    alerts.look(budget(), 0.9 * dollar);
    expect(await said()).toEqual(["Budget of key ci for 24h is used up: $2.00 of $1.00."]);
  });

  test("again in the next period, and of a budget that was raised", async () => {
    const { alerts, said } = setUp();
    alerts.look(budget(), dollar);
    alerts.look(budget({ max: 2 * dollar }), 2 * dollar);
    alerts.look(budget({}, midnight), dollar);
    expect(await said()).toHaveLength(3);
  });

  test("by one process only, and not after a restart", async () => {
    const first = setUp();
    first.alerts.look(budget(), dollar);
    expect(await first.said()).toHaveLength(1);
    const second = setUp([], first.limits);
    second.alerts.look(budget(), dollar);
    expect(await second.said()).toEqual([]);
  });

  test("twice rather than never, where limits are away", async () => {
    const { alerts, said, limits } = setUp();
    const away = setUp([], { ...limits, reserve: async () => Promise.reject(new Error("away")) });
    away.alerts.look(budget(), dollar);
    alerts.look(budget(), dollar);
    expect([await said(), await away.said()].map(({ length }) => length)).toEqual([1, 1]);
  });
});

describe("a webhook", () => {
  test("is told in words for Slack, and in LiteLLM's fields", async () => {
    await using server = await startUpstream();
    server.script(jsonReply({}), "*");
    const { alerts, said } = setUp([`${server.url}/services/path-that-is-secret`]);
    alerts.look(budget({ max: dollar / 200 }), dollar / 200);
    await said();
    expect(server.requests.map(({ method, path }) => [method, path])).toEqual([["POST", "/services/path-that-is-secret"]]);
    expect(server.requests[0]?.headers["content-type"]).toBe("application/json");
    const text = "Budget of key ci for 24h is used up: $0.0050 of $0.0050.";
    expect(server.requests[0]?.json()).toEqual({
      text,
      event: "budget_crossed",
      event_group: "key",
      event_message: text,
      id: "ab12",
      name: "ci",
      spend: 0.005,
      max_budget: 0.005,
      soft_budget: null,
      budget_duration: "24h",
      budget_reset_at: "2026-11-24T00:00:00.000Z",
    });
  });

  test.each([
    [
      "that refuses",
      async () => {
        const server = await startUpstream();
        server.script(jsonReply({ error: "gone" }, { status: 410 }), "*");
        onTestFinished(() => server.close());
        return server.url;
      },
    ],
    [
      "that is not there",
      async () => {
        const server = await startUpstream();
        await server.close();
        return server.url;
      },
    ],
    ["that is none", async () => "http://[no-host"],
  ])("%s is told of in the log by its host alone", async (_, start) => {
    const { alerts, said, lines } = setUp([`${await start()}/path-that-is-secret`]);
    alerts.look(budget(), dollar);
    expect(await said()).toEqual([expect.stringContaining("is used up"), expect.stringContaining("webhook")]);
    expect(JSON.stringify(lines)).not.toContain("secret");
  });
});

test("what a request is thought to cost alarms nobody; what it cost does", async () => {
  const { alerts, said, limits } = setUp();
  const { ledger } = openMemory({ now: () => 0, wallClock: () => noon });
  const limiter = createLimiter({ limits, ledger, alerts, wallClock: () => noon, logger: { warn: () => undefined } });
  onTestFinished(() => limiter.close());
  const parties = [{ owner: "team", id: "core", budgets: [{ max: dollar, duration: undefined }], spending }];
  const hold = async (id: string, cost: number) => limiter.hold({ parties, id, cost, tokens: 0 });
  const large = await hold("a", 0.9 * dollar);
  const small = await hold("b", 0.01 * dollar);
  await small.settle({ tokens: 0, cost: 0.02 * dollar });
  await large.release();
  expect(await said()).toEqual([]);
  const last = await hold("c", 0.1 * dollar);
  await last.settle({ tokens: 0, cost: 0.9 * dollar });
  expect(await said()).toEqual(["Budget of team core is nearly used up: $0.92 of $1.00."]);
});
