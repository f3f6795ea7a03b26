/** What holding limits fails with; what a caller is told of it is a matter of refusal.ts. */

import type { BudgetStanding } from "../../sdk/budget-standing.ts";
import type { CounterState } from "../../sdk/limits.ts";
import type { Limit } from "./demands.ts";

/** A request does not fit into a limit; nothing was taken. For the caller it becomes what `refusalOf` makes of it. */
export class LimitExceeded extends Error {
  override readonly name = "LimitExceeded";
  readonly limit: Limit;
  readonly state: CounterState;
  /** Where the limit is a budget. */
  readonly standing: BudgetStanding | undefined;

  constructor(limit: Limit, state: CounterState, standing: BudgetStanding | undefined) {
    super(`no room in ${limit.type} of ${limit.owner}`);
    this.limit = limit;
    this.state = state;
    this.standing = standing;
  }
}

/** Whether there is room cannot be found out, and must not be done without. */
export class LimitsUnknownError extends Error {
  override readonly name = "LimitsUnknownError";
}
