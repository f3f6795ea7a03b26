/** What `/spend/logs` answers for a range of dates: the spend of each day, by key, user and model. */

import type { Json } from "../../sdk/body.ts";
import type { Grouping, LedgerTotal } from "../../sdk/ledger.ts";
import { toUsd } from "../../sdk/money.ts";
import { groupBy, sumOf } from "./sums.ts";

export const dailySpendGroupings: readonly Grouping[] = ["day", "key", "user", "model"];

const dayMs = 86_400_000;

/**
 * Oldest first. Days after the last one with requests are there with nothing spent, as LiteLLM fills them in.
 *
 * @param totals by `dailySpendGroupings`
 * @param until the first ms after the range; without one nothing is filled in
 */
export function dailySpend(totals: readonly LedgerTotal[], until: number | undefined): readonly Json[] {
  const days = [...groupBy(totals, ({ by }) => by[0])].toSorted(([a], [b]) => (a < b ? -1 : 1));
  const rows = days.map(([day, ofDay]): Json => {
    const sum = sumOf(ofDay);
    return {
      // Ids beside the fields, as LiteLLM has them.
      ...spendBy(
        ofDay.filter(({ by }) => by[1] !== ""),
        1,
      ),
      users: spendBy(ofDay, 2),
      models: spendBy(ofDay, 3),
      spend: toUsd(sum.cost),
      unknown_cost_requests: sum.unknownCosts,
      startTime: day,
    };
  });
  const last = days.at(-1)?.[0];
  return last === undefined || until === undefined ? rows : [...rows, ...daysAfter(last, until)];
}

function spendBy(totals: readonly LedgerTotal[], index: number): Readonly<Record<string, number>> {
  const groups = groupBy(totals, ({ by }) => by[index]);
  return Object.fromEntries([...groups].map(([name, group]) => [name, toUsd(sumOf(group).cost)]));
}

function daysAfter(last: string, until: number): readonly Json[] {
  const first = Date.parse(last) + dayMs;
  const count = Math.max(0, Math.ceil((until - first) / dayMs));
  return Array.from({ length: count }, (_, index) => ({
    startTime: new Date(first + index * dayMs).toISOString().slice(0, 10),
    spend: 0,
    unknown_cost_requests: 0,
    users: {},
    models: {},
  }));
}
