/** The period of a budget that a moment is in. */

import { periodAt } from "../keys/durations.ts";

export interface BudgetPeriod {
  /** Differs from that of every other period of the same length. */
  readonly name: string;
  /** ms since 1970; undefined: it has always been. */
  readonly startsAt: number | undefined;
  /** Undefined: it never ends. */
  readonly endsAt: number | undefined;
}

const ever: BudgetPeriod = { name: "ever", startsAt: undefined, endsAt: undefined };

/**
 * LiteLLM's: at midnight UTC, weeks on Monday, months and `30d` on the 1st.
 *
 * @param duration undefined: one period for ever
 * @throws RangeError for what is no duration
 */
export function budgetPeriod(duration: string | undefined, wallClock: number): BudgetPeriod {
  return duration === undefined ? ever : periodAt(duration, wallClock);
}
