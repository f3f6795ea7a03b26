/** How a caller stands with the budget that is nearest to its end, for whoever tells it. */

import type { NanoDollars } from "./money.ts";

export interface BudgetStanding {
  /** Whose it is: `key`, `user`, `team`, … */
  readonly owner: string;
  readonly used: NanoDollars;
  readonly limit: NanoDollars;
  /** As configured: `30d`; undefined: it never begins anew. */
  readonly duration: string | undefined;
  /** ms since 1970; undefined: never. */
  readonly resetsAt: number | undefined;
}
