import { expect, test } from "vitest";

import { type Limited, limitsOf } from "../../../core/limits/demands.ts";
import { LimitExceeded, LimitsUnknownError } from "../../../core/limits/exceeded.ts";
import { refusalOf } from "../../../core/limits/refusal.ts";
import { standingOf } from "../../../core/limits/standing.ts";
import { LimitsAwayError } from "../../../core/stores/guarded-limits.ts";
import { createAnthropicPlugin } from "../../../plugins/anthropic/index.ts";
import type { Ingress } from "../../../sdk/dialect.ts";

const now = Date.UTC(2026, 10, 23, 12, 0, 30);
const dollar = 1_000_000_000;
const key: Limited = { owner: "api_key", id: "k", rpm: 1, budgets: [{ max: dollar, duration: "24h" }], spending: { filter: {} } };
const [rate, budget] = limitsOf([key], now);
const exceeded = new LimitExceeded(budget!, { key: "", used: dollar, resetsInMs: 5 }, standingOf(budget!, dollar));

function anthropicIngress(): Ingress {
  const { dialects } = createAnthropicPlugin().setup();
  const ingress = dialects?.[0]?.ingress;
  if (ingress === undefined) throw new Error("it has one");
  return ingress;
}

test("a budget that is used up is LiteLLM's refusal where the protocol has none of its own", () => {
  const refusal = refusalOf(exceeded, {}, now);
  expect(refusal).toMatchObject({ status: 400, kind: "billing_error", type: "budget_exceeded" });
  expect(refusal?.message).toBe("Budget has been exceeded! Current cost: 1, Max budget: 1 (of this key)");
});

test("and in words of Claude Code where the caller speaks its protocol", () => {
  const refusal = refusalOf(exceeded, anthropicIngress(), now);
  expect(refusal).toMatchObject({ status: 429, kind: "billing_error", headers: { "anthropic-ratelimit-unified-status": "rejected" } });
  expect(refusal?.message).toContain("The daily budget of this key is used up: $1.00 of $1.00.");
});

test("a rate is told alike in all of them", () => {
  const tooMany = new LimitExceeded(rate!, { key: "", used: 1, resetsInMs: 5000 }, undefined);
  for (const ingress of [{}, anthropicIngress()])
    expect(refusalOf(tooMany, ingress, now)).toMatchObject({ status: 429, kind: "rate_limit_error", headers: { "retry-after": "5" } });
});

test("limits that cannot be checked are no fault of the caller", () => {
  for (const error of [new LimitsAwayError(new Error("connect db.internal")), new LimitsUnknownError("of a budget")]) {
    const refusal = refusalOf(error, {}, now);
    expect(refusal).toMatchObject({ status: 503, kind: "overloaded_error", headers: { "retry-after": "5" } });
    expect(refusal?.message).not.toContain("internal");
  }
  expect(refusalOf(new Error("other"), {}, now)).toBeUndefined();
});

test("Anthropic's protocol tells of budgets with every reply", () => {
  const ingress = anthropicIngress();
  const notices = new Map(ingress.budgetNotices?.(standingOf(budget!, 0.8 * dollar), now));
  expect(notices.get("anthropic-ratelimit-unified-overage-utilization")).toBe("0.80");
});
