import { expect, test } from "vitest";

import { dailySpend } from "../../../core/reports/daily-spend.ts";
import { nothing } from "../../../core/reports/sums.ts";

const day = (name: string, key: string, cost: number): Parameters<typeof dailySpend>[0][number] => ({
  ...nothing,
  by: [name, key, "ann", "haiku"],
  requests: 1,
  cost,
});

test("fills in the days after the last one up to the end of the range, and none before", () => {
  const rows = dailySpend([day("2026-02-27", "k", 1e9)], Date.parse("2026-03-02T00:00:00Z"));
  expect(rows).toMatchObject([
    { startTime: "2026-02-27", spend: 1, k: 1 },
    { startTime: "2026-02-28", spend: 0 },
    { startTime: "2026-03-01", spend: 0 },
  ]);
  expect(rows).toHaveLength(3);
  expect(dailySpend([day("2026-02-27", "k", 1e9)], undefined)).toHaveLength(1);
  expect(dailySpend([], Date.parse("2026-03-02T00:00:00Z"))).toEqual([]);
});

test("adds up in nano-dollars: many small sums stay exact", () => {
  const totals = ["a", "b", "c"].map((key) => day("2026-02-27", key, 100_000_000));
  expect(dailySpend(totals, undefined)).toMatchObject([{ spend: 0.3, a: 0.1, users: { ann: 0.3 }, models: { haiku: 0.3 } }]);
});

test("no name of a key hides a field", () => {
  expect(dailySpend([day("2026-02-27", "spend", 1), day("2026-02-27", "", 1e9)], undefined)).toMatchObject([{ spend: 1.000000001 }]);
});
