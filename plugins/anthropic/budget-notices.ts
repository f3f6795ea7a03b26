/**
 * Budgets in the words of Anthropic's own limits, which Claude Code shows to its user: "You've used 82 % …".
 * The client reads them as it reads those of paid overage. A refusal leaves `representative-claim` and `overage-status` out: with them
 * the client would put the blame on a subscription.
 */

import type { BudgetStanding } from "../../sdk/budget-standing.ts";
import type { HeaderList } from "../../sdk/dialect.ts";
import { ProxyError } from "../../sdk/errors.ts";
import { toUsd } from "../../sdk/money.ts";

/** Beyond which the client warns. */
const thresholds = [0.95, 0.75] as const;
/** For one that never begins anew: the client wants a time. */
const neverSeconds = 365 * 24 * 60 * 60;
/** As the client names them. */
const periods: Readonly<Record<string, string>> = {
  "24h": "daily",
  "1d": "daily",
  "7d": "weekly",
  "1w": "weekly",
  "30d": "monthly",
  "1mo": "monthly",
};

/** Of a reply that the budget has paid for. */
export function budgetNotices(standing: BudgetStanding, wallClock: number): HeaderList {
  const utilization = standing.limit <= 0 ? 0.99 : Math.min(0.99, Math.floor((standing.used / standing.limit) * 100) / 100);
  const surpassed = thresholds.find((threshold) => standing.used >= standing.limit * threshold);
  const status = surpassed === undefined ? "allowed" : "allowed_warning";
  const reset = String(resetSeconds(standing, wallClock));
  return [
    [`${prefix}status`, status],
    [`${prefix}representative-claim`, "overage"],
    [`${prefix}overage-status`, status],
    [`${prefix}overage-utilization`, utilization.toFixed(2)],
    ...(surpassed === undefined ? [] : [[`${prefix}overage-surpassed-threshold`, String(surpassed)] as const]),
    [`${prefix}reset`, reset],
    [`${prefix}overage-reset`, reset],
  ];
}

/** Of a request for which nothing is left. */
export function budgetRefusal(standing: BudgetStanding, wallClock: number): ProxyError {
  const { owner, used, limit, duration, resetsAt } = standing;
  const reset = resetSeconds(standing, wallClock);
  const period = duration === undefined ? undefined : periods[duration];
  const when =
    resetsAt === undefined
      ? "It does not begin anew by itself"
      : `It begins anew on ${new Date(resetsAt).toISOString().slice(0, 16).replace("T", " ")} UTC`;
  const message =
    `The ${period === undefined ? "" : `${period} `}budget of this ${owner} is used up: $${usd(used)} of $${usd(limit)}. ` +
    `${when}; whoever runs this proxy can raise it.`;
  return new ProxyError(message, {
    status: 429,
    kind: "billing_error",
    headers: {
      "retry-after": String(Math.max(1, reset - Math.floor(wallClock / 1000))),
      "x-should-retry": "false",
      [`${prefix}status`]: "rejected",
      [`${prefix}reset`]: String(reset),
      [`${prefix}overage-reset`]: String(reset),
      [`${prefix}overage-disabled-reason`]: "org_spend_cap_reached",
      ...(period === undefined ? {} : { [`${prefix}overage-period`]: period }),
    },
  });
}

const prefix = "anthropic-ratelimit-unified-";

/** Seconds since 1970. */
function resetSeconds({ resetsAt }: BudgetStanding, wallClock: number): number {
  return Math.ceil((resetsAt ?? wallClock + neverSeconds * 1000) / 1000);
}

/** With as many digits as small budgets need. */
function usd(amount: number): string {
  const value = toUsd(amount);
  return value >= 1 || value === 0 ? value.toFixed(2) : String(Number(value.toPrecision(2)));
}
