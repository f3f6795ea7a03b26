/** What keys, users and teams have spent in the current period of their budgets, as the ledger has it. */

import type { Budget, Terms } from "../../sdk/keys.ts";
import type { LedgerFilter } from "../../sdk/ledger.ts";
import { accountOf } from "../keys/account.ts";
import { periodAt } from "../keys/durations.ts";
import type { KeyStanding } from "../keys/key-reply.ts";
import { groupBy } from "../reports/sums.ts";
import type { Asking } from "./admin.ts";

type OwnerKind = "key" | "user" | "team";
type Owner = Terms & { readonly id: string; readonly accountId?: string | undefined; readonly budgetId?: string | undefined };

export async function standingOf(asking: Asking, kind: OwnerKind, record: Owner): Promise<KeyStanding> {
  const [first] = await withStandings(asking, kind, [record]);
  return first?.standing ?? { spent: 0, now: asking.now };
}

/** In the given order; one question to the ledger for each length of period. */
export async function withStandings<Row extends Owner>(
  { services, now }: Asking,
  kind: OwnerKind,
  records: readonly Row[],
): Promise<readonly { readonly record: Row; readonly standing: KeyStanding }[]> {
  const { keys, ledger } = services.stores;
  const ids = [...new Set(records.flatMap(({ budgetId }) => (budgetId === undefined ? [] : [budgetId])))];
  const budgets = new Map<string, Budget>();
  for (const id of ids) {
    const budget = await keys.get("budget", id);
    if (budget !== undefined) budgets.set(id, budget);
  }
  const sharedOf = ({ budgetId = "" }: Owner): Budget | undefined => budgets.get(budgetId);
  const durationOf = (record: Owner): string => record.budgetDuration ?? sharedOf(record)?.budgetDuration ?? "";
  const spent = new Map<string, number>();
  for (const [duration, group] of groupBy(records, durationOf)) {
    const from = duration === "" ? undefined : periodAt(duration, now).startsAt;
    const [only] = group;
    const filter: LedgerFilter = group.length === 1 && only !== undefined ? { ...ownedBy(kind, accountOf(only)), from } : { from };
    for (const { by, cost } of await ledger.totals([kind], filter)) spent.set(`${duration}\n${by[0] ?? ""}`, cost);
  }
  return records.map((record) => {
    const key = `${durationOf(record)}\n${accountOf(record)}`;
    return { record, standing: { spent: spent.get(key) ?? 0, now, shared: sharedOf(record) } };
  });
}

function ownedBy(kind: OwnerKind, id: string): LedgerFilter {
  return { key: { keyId: id }, user: { userId: id }, team: { teamId: id } }[kind];
}
