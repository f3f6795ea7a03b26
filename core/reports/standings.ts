/** What keys and users have spent in the current period of their budgets: one question to the ledger for each length of period. */

import type { Grouping, LedgerFilter, LedgerStore } from "../../sdk/ledger.ts";
import type { NanoDollars } from "../../sdk/money.ts";
import { periodAt } from "../keys/durations.ts";
import { groupBy } from "./sums.ts";

export interface Budgeted {
  readonly id: string;
  readonly budgetDuration?: string | undefined;
}

/** Dearest first; those without periods with all that the ledger has. */
export async function withSpent<Record extends Budgeted>(
  ledger: Pick<LedgerStore, "totals">,
  grouping: Extract<Grouping, "key" | "user">,
  records: readonly Record[],
  { filter, now }: { readonly filter: LedgerFilter; readonly now: number },
): Promise<readonly { readonly record: Record; readonly spent: NanoDollars }[]> {
  const rows: { readonly record: Record; readonly spent: NanoDollars }[] = [];
  for (const [duration, group] of groupBy(records, ({ budgetDuration = "" }) => budgetDuration)) {
    const from = duration === "" ? undefined : periodAt(duration, now).startsAt;
    const totals = await ledger.totals([grouping], { ...filter, from });
    const spent = new Map(totals.map(({ by: [id = ""], cost }) => [id, cost]));
    for (const record of group) rows.push({ record, spent: spent.get(record.id) ?? 0 });
  }
  return rows.toSorted((a, b) => b.spent - a.spent || (a.record.id < b.record.id ? -1 : 1));
}
