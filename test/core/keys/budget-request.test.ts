import { expect, test } from "vitest";

import { encodeBudget } from "../../../core/keys/budget-reply.ts";
import { decodeBudgetNew } from "../../../core/keys/budget-request.ts";

test("/budget/new makes a budget, and its reply says what was asked for", () => {
  const body = {
    budget_id: "b",
    max_budget: 1.25,
    budget_duration: "30d",
    rpm_limit: 5,
    model_max_budget: { o: { budget_limit: 1, time_period: "1d" } },
  };
  const { budget, notes } = decodeBudgetNew({ ...body, color: "red" }, 7);
  expect(budget).toEqual({
    id: "b",
    maxBudget: 1_250_000_000,
    budgetDuration: "30d",
    rpm: 5,
    modelMaxBudget: { o: { max: 1_000_000_000, duration: "1d" } },
    createdAt: 7,
    updatedAt: 7,
  });
  expect(notes).toHaveLength(1);
  expect(encodeBudget(budget)).toMatchObject({ ...body, soft_budget: null, tpm_limit: null, created_at: "1970-01-01T00:00:00.007Z" });
  expect(decodeBudgetNew({}, 7).budget.id).toMatch(/^[0-9a-f-]{36}$/);
});
