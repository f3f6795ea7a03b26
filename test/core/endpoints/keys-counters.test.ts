import { expect, describe, test } from "vitest";

import { idOf } from "../../../core/keys/secret.ts";
import { budgetPeriod } from "../../../core/limits/periods.ts";
import type { BudgetDemand, LimitStore } from "../../../sdk/limits.ts";
import { noon, startKeyServer } from "./keys-server.ts";
import { spend } from "./spend-server.ts";

/** As a request meets it, see core/limits/demands.ts. */
function demand(
  id: string,
  spent: number,
  duration: string | undefined,
  key: string = `api_key:${id}:budget:${duration ?? "ever"}`,
): BudgetDemand {
  const { name, endsAt } = budgetPeriod(duration, noon);
  return { kind: "budget", key, amount: 100, limit: 1000, period: name, endsInMs: endsAt === undefined ? undefined : endsAt - noon, spent };
}

let count = 0;

/** Whether a request is let in. @param spent what is thought to be, should the counter not be there */
async function passes(limits: LimitStore, asked: BudgetDemand): Promise<boolean> {
  const id = `request-${count++}`;
  const { isGranted } = await limits.reserve(id, [asked], 1000);
  await limits.release(id);
  return isGranted;
}

describe.each(["memory", "sqlite"] as const)("counters of budgets in %s", (engine) => {
  test.each([undefined, "1d"])("begin anew when the spend is set to 0: budget of %s", async (duration) => {
    const { make, post, limits } = await startKeyServer(engine);
    const max_budget = 0.000001;
    const { id } = await make({
      max_budget,
      budget_duration: duration ?? null,
      model_max_budget: { opus: { budget_limit: 1, time_period: "1d" } },
    });
    const ofModel = `model_per_key:${id}:opus:budget:1d`;
    expect(await passes(limits, demand(id, 1000, duration))).toBe(false);
    await limits.reserve(
      "all",
      [demand(id, 950, duration), demand(id, 950, "1d", ofModel)].map((one) => ({ ...one, amount: 50 })),
      1000,
    );
    await limits.settle("all", [50, 50]);
    expect(await passes(limits, demand(id, 0, duration))).toBe(false);
    expect(await passes(limits, demand(id, 0, "1d", ofModel))).toBe(false);
    expect((await post("/key/update", { key: id, rpm_limit: 5 })).status).toBe(200);
    expect(await passes(limits, demand(id, 0, duration))).toBe(false);
    expect((await post("/key/update", { key: id, spend: 0 })).status).toBe(200);
    // Though the ledger still says that all of it was spent.
    expect(await passes(limits, demand(id, 1000, duration))).toBe(true);
    expect(await passes(limits, demand(id, 1000, "1d", ofModel))).toBe(true);
  });

  test("stay what they are when a key gets another secret", async () => {
    const { make, post, get, limits, ledger } = await startKeyServer(engine);
    const { id } = await make({ max_budget: 0.000001, budget_duration: "1d" });
    await limits.reserve("all", [{ ...demand(id, 950, "1d"), amount: 50 }], 1000);
    await limits.settle("all", [50]);
    await spend(ledger, { id: "1", start: { caller: { kind: "key", keyId: id } }, end: { cost: 1000 } });
    const { body } = await post("/key/regenerate", { key: id });
    const renewed = idOf(String(body["key"]));
    expect(renewed).not.toBe(id);
    // Both are kept under the id it was created with.
    expect(await passes(limits, demand(id, 0, "1d"))).toBe(false);
    expect((await get(`/key/info?key=${renewed}`)).body).toMatchObject({ info: { spend: 0.000001 } });
    const again = await post("/key/regenerate", { key: renewed });
    expect((await get(`/key/info?key=${idOf(String(again.body["key"]))}`)).body).toMatchObject({ info: { spend: 0.000001 } });
  });
});
