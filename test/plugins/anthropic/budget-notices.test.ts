import { describe, expect, test } from "vitest";

import { budgetNotices, budgetRefusal } from "../../../plugins/anthropic/budget-notices.ts";
import type { BudgetStanding } from "../../../sdk/budget-standing.ts";
import { toNanoDollars } from "../../../sdk/money.ts";

const noon = Date.UTC(2026, 10, 23, 12);
const midnight = Date.UTC(2026, 10, 24);

function standing(usedUsd: number, more: Partial<BudgetStanding> = {}): BudgetStanding {
  return { owner: "key", used: toNanoDollars(usedUsd), limit: toNanoDollars(10), duration: "24h", resetsAt: midnight, ...more };
}

describe("a reply within the budget", () => {
  const told = (usedUsd: number, more?: Partial<BudgetStanding>): Readonly<Record<string, string>> =>
    Object.fromEntries(
      budgetNotices(standing(usedUsd, more), noon).map(([name, value]) => [name.replace("anthropic-ratelimit-unified-", ""), value]),
    );

  test("says how much is used, and when it begins anew", () => {
    expect(told(1.239)).toEqual({
      status: "allowed",
      "representative-claim": "overage",
      "overage-status": "allowed",
      "overage-utilization": "0.12",
      reset: String(midnight / 1000),
      "overage-reset": String(midnight / 1000),
    });
  });

  test.each([
    [7.49, "allowed", undefined, "0.74"],
    [7.5, "allowed_warning", "0.75", "0.75"],
    [9.49, "allowed_warning", "0.75", "0.94"],
    [9.5, "allowed_warning", "0.95", "0.95"],
    [12, "allowed_warning", "0.95", "0.99"],
  ])("warns beyond three quarters, and again close to the end: %d of 10", (used, status, threshold, utilization) => {
    expect(told(used)).toMatchObject({ status, "overage-status": status, "overage-utilization": utilization });
    expect(told(used)["overage-surpassed-threshold"]).toBe(threshold);
  });

  test("has a time even where the budget never begins anew, and a share even of nothing", () => {
    expect(told(1, { resetsAt: undefined, duration: undefined })["reset"]).toBe(String(noon / 1000 + 365 * 86_400));
    expect(told(0, { limit: 0 })["overage-utilization"]).toBe("0.99");
  });
});

describe("a request beyond the budget", () => {
  test("is refused as one of Anthropic's would be, with a sentence that says when and what to do", () => {
    const { status, kind, headers, message } = budgetRefusal(standing(10.004), noon);
    expect([status, kind]).toEqual([429, "billing_error"]);
    expect(message).toBe(
      "The daily budget of this key is used up: $10.00 of $10.00. It begins anew on 2026-11-24 00:00 UTC; whoever runs this proxy can raise it.",
    );
    expect(headers).toEqual({
      "retry-after": String(12 * 3600),
      "x-should-retry": "false",
      "anthropic-ratelimit-unified-status": "rejected",
      "anthropic-ratelimit-unified-reset": String(midnight / 1000),
      "anthropic-ratelimit-unified-overage-reset": String(midnight / 1000),
      "anthropic-ratelimit-unified-overage-period": "daily",
      "anthropic-ratelimit-unified-overage-disabled-reason": "org_spend_cap_reached",
    });
  });

  test("of a cent's fraction shows its digits, and of one that never begins anew says so", () => {
    const { message, headers } = budgetRefusal(
      { owner: "team", used: toNanoDollars(0.0031), limit: toNanoDollars(0.003), duration: undefined, resetsAt: undefined },
      noon,
    );
    expect(message).toBe(
      "The budget of this team is used up: $0.0031 of $0.003. It does not begin anew by itself; whoever runs this proxy can raise it.",
    );
    expect(headers).not.toHaveProperty("anthropic-ratelimit-unified-overage-period");
  });
});
