/** `/global/spend/report`: by team or customer for each day, or by key for the whole range. */

import type { Json } from "../../sdk/body.ts";
import type { Grouping, LedgerTotal } from "../../sdk/ledger.ts";
import { toUsd } from "../../sdk/money.ts";
import { dearestFirst, groupBy, type Sum, sumOf } from "./sums.ts";
import { countTokens } from "./token-counts.ts";

/** What spent in a day, or in all, who it was, and with what. */
export interface Spent {
  readonly day: string;
  /** Team or customer; empty for those of none. */
  readonly owner: string;
  readonly model: string;
  readonly key: string;
  readonly sum: Sum;
}

export const teamReportGroupings: readonly Grouping[] = ["day", "team", "model", "key"];
export const keyReportGroupings: readonly Grouping[] = ["key", "model"];

/** @param totals by `teamReportGroupings` */
export function spentByTeam(totals: readonly LedgerTotal[]): readonly Spent[] {
  return totals.map(({ by: [day = "", owner = "", model = "", key = ""], ...sum }) => ({ day, owner, model, key, sum }));
}

/** Oldest day first. @param kind names the fields */
export function reportByOwner(spent: readonly Spent[], kind: "team" | "customer", nameOf: (owner: string) => string): readonly Json[] {
  const days = [...groupBy(spent, ({ day }) => day)].toSorted(([a], [b]) => (a < b ? -1 : 1));
  return days.map(([day, ofDay]) => ({
    group_by_day: `${day}T00:00:00+00:00`,
    [`${kind}s`]: ranked(ofDay, ({ owner }) => owner).map(({ name, sum, group }) => ({
      [kind === "team" ? "team_name" : "customer"]: nameOf(name),
      total_spend: toUsd(sum.cost),
      unknown_cost_requests: sum.unknownCosts,
      metadata: dearestFirst(group.map((row) => ({ ...row, name: row.model }))).map((row) => ({
        model: row.model,
        spend: toUsd(row.sum.cost),
        total_tokens: countTokens(row.sum.tokens).total_tokens,
        api_key: row.key,
        unknown_cost_requests: row.sum.unknownCosts,
      })),
    })),
  }));
}

/** @param totals by `keyReportGroupings` */
export function reportByKey(totals: readonly LedgerTotal[]): readonly Json[] {
  const spent = totals.map(({ by: [key = "", model = ""], ...sum }) => ({ key, name: model, sum }));
  return ranked(spent, ({ key }) => key).map(({ name, sum, group }) => ({
    api_key: name,
    ...costAndTokens(sum),
    model_details: dearestFirst(group).map((row) => ({ model: row.name, ...costAndTokens(row.sum) })),
  }));
}

function costAndTokens(sum: Sum): Readonly<Record<string, Json>> {
  const { prompt_tokens, completion_tokens } = countTokens(sum.tokens);
  return {
    total_cost: toUsd(sum.cost),
    total_input_tokens: prompt_tokens,
    total_output_tokens: completion_tokens,
    unknown_cost_requests: sum.unknownCosts,
  };
}

interface Ranked<Row> {
  readonly name: string;
  readonly sum: Sum;
  readonly group: readonly Row[];
}

function ranked<Row extends { readonly sum: Sum }>(rows: readonly Row[], nameOf: (row: Row) => string): readonly Ranked<Row>[] {
  const groups = [...groupBy(rows, nameOf)].map(([name, group]) => ({ name, group, sum: sumOf(group.map(({ sum }) => sum)) }));
  return dearestFirst(groups);
}
