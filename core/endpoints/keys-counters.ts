/** The counters of a key's budgets, where somebody begins them anew, or its secret changes and with it the names of its counters. */

import { randomUUID } from "node:crypto";

import type { Budget, VirtualKey } from "../../sdk/keys.ts";
import type { LimitStore } from "../../sdk/limits.ts";
import type { NanoDollars } from "../../sdk/money.ts";
import { withBudget } from "../keys/rights.ts";
import { type Limit, limitsOf } from "../limits/demands.ts";
import { partiesOf } from "../limits/parties.ts";

export type BudgetCounter = Limit & { readonly budget: NonNullable<Limit["budget"]> };

const none = { tagBudgets: new Map(), providerBudgets: new Map(), budget: undefined, maxParallelRequests: undefined };
const leaseMs = 10_000;
/** A counter that holds nothing is taken for one that was lost, and for these the ledger is asked. */
const least: NanoDollars = 1;

/** @param shared that the key names @param wallClock ms since 1970 */
export function budgetCounters(key: VirtualKey, shared: Budget | undefined, wallClock: number): readonly BudgetCounter[] {
  const merged = withBudget(key, shared);
  const config = { stores: none, deployments: [] };
  const parties = ["", ...Object.keys(merged.modelMaxBudget ?? {})].flatMap((group) =>
    partiesOf({ holder: { key: merged }, tags: [], config, group }),
  );
  const counters = limitsOf(parties, wallClock).filter((limit): limit is BudgetCounter => limit.budget !== undefined);
  return [...new Map(counters.map((counter) => [counter.key, counter])).values()];
}

/** From now on they have been spent nothing of. */
export async function beginAnew(limits: LimitStore, counters: readonly BudgetCounter[], wallClock: number): Promise<void> {
  const values = counters.map((counter) => ({ counter, spent: least }));
  await setTo(limits, values, wallClock);
}

interface Value {
  readonly counter: BudgetCounter;
  readonly spent: NanoDollars;
}

async function setTo(limits: LimitStore, values: readonly Value[], wallClock: number): Promise<void> {
  if (values.length === 0) return;
  await limits.reset(values.map(({ counter }) => counter.key));
  const id = randomUUID();
  // Between the two a request may have begun it, with what the ledger has; that is no worse than before.
  await limits.reserve(
    id,
    values.map(({ counter, spent }) => {
      const { name, endsAt } = counter.budget.period;
      const endsInMs = endsAt === undefined ? undefined : Math.max(1, endsAt - wallClock);
      return { kind: "budget", key: counter.key, amount: 0, limit: Number.MAX_SAFE_INTEGER, period: name, endsInMs, spent };
    }),
    leaseMs,
  );
  await limits.settle(
    id,
    values.map(() => 0),
  );
}
