import { expect, test } from "vitest";

import { budgetPeriod } from "../../../core/limits/periods.ts";

const noon = Date.UTC(2026, 10, 23, 12);

test("a budget without a duration has one period for ever", () => {
  expect(budgetPeriod(undefined, noon)).toEqual(budgetPeriod(undefined, 0));
  expect(budgetPeriod(undefined, noon)).toMatchObject({ startsAt: undefined, endsAt: undefined });
});

test("others begin anew with the calendar", () => {
  expect(budgetPeriod("30d", noon)).toEqual({
    name: "2026-11-01T00:00Z",
    startsAt: Date.UTC(2026, 10, 1),
    endsAt: Date.UTC(2026, 11, 1),
  });
  expect(budgetPeriod("1d", noon).name).not.toBe(budgetPeriod("1d", noon + 43_200_000).name);
});
