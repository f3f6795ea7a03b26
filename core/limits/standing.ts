/** How a caller stands with a budget. */

import type { BudgetStanding } from "../../sdk/budget-standing.ts";
import type { CounterState } from "../../sdk/limits.ts";
import type { NanoDollars } from "../../sdk/money.ts";
import { type Limit, tightest } from "./demands.ts";

/** In words for people. */
const owners: ReadonlyMap<string, string> = new Map([
  ["api_key", "key"],
  ["model_per_key", "key"],
  ["model_per_user", "user"],
  ["model_per_team", "team"],
  ["team_member", "team member"],
  ["global", "proxy"],
]);

/** Of a limit that is a budget. */
export function standingOf({ owner, max, budget }: Limit, used: NanoDollars): BudgetStanding {
  return {
    owner: ownerName(owner),
    used,
    limit: max,
    duration: budget?.duration,
    resetsAt: budget?.period.endsAt,
  };
}

/** Undefined where no budget is among them. */
export function tightestStanding(limits: readonly Limit[], states: readonly CounterState[]): BudgetStanding | undefined {
  const found = tightest(limits, states);
  return found === undefined ? undefined : standingOf(found.limit, found.used);
}

/** `key`, `user`, `team`, … */
export function ownerName(owner: string): string {
  return owners.get(owner) ?? owner;
}
