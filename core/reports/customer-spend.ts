/** Spend by customer, which the ledger keeps with each exchange and adds up for nobody: read page by page. */

import { setImmediate } from "node:timers/promises";

import type { ExchangeRecord, LedgerFilter, LedgerStore } from "../../sdk/ledger.ts";
import type { Spent } from "./spend-report.ts";
import { nothing, sumOf } from "./sums.ts";

const pageSize = 500;

/** Requests are answered between pages. */
export async function spentByCustomer(ledger: Pick<LedgerStore, "exchanges">, filter: LedgerFilter): Promise<readonly Spent[]> {
  const spent = new Map<string, Spent>();
  let before: string | undefined;
  for (;;) {
    const page = await ledger.exchanges(filter, pageSize, before);
    for (const exchange of page) add(spent, exchange);
    before = page.at(-1)?.id;
    if (before === undefined || page.length < pageSize) return [...spent.values()];
    await setImmediate();
  }
}

function add(spent: Map<string, Spent>, { startedAt, caller, end }: ExchangeRecord): void {
  if (end === undefined) return;
  const day = new Date(startedAt).toISOString().slice(0, 10);
  const { endUser: owner = "", keyId: key = "" } = caller;
  const { modelServed: model = "", cost, costAsAsked, tokens = nothing.tokens } = end;
  const name = JSON.stringify([day, owner, model, key]);
  const known = spent.get(name) ?? { day, owner, model, key, sum: nothing };
  const one = {
    requests: 1,
    successes: end.status < 400 ? 1 : 0,
    cacheHits: end.isCacheHit ? 1 : 0,
    unknownCosts: cost === null ? 1 : 0,
    cost: cost ?? 0,
    saved: cost === null || costAsAsked === null ? 0 : costAsAsked - cost,
    tokens,
  };
  spent.set(name, { ...known, sum: sumOf([known.sum, one]) });
}
