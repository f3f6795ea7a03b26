/** Adds up totals of the ledger anew, by fewer names than the ledger was asked for. */

import type { LedgerTokens, LedgerTotal } from "../../sdk/ledger.ts";

/** A total, without the names it is of. */
export type Sum = Omit<LedgerTotal, "by">;

const noTokens: LedgerTokens = { input: 0, output: 0, cacheRead: 0, cacheWrite5m: 0, cacheWrite1h: 0, reasoning: 0, serverTools: 0 };
export const nothing: Sum = { requests: 0, successes: 0, cacheHits: 0, unknownCosts: 0, cost: 0, saved: 0, tokens: noTokens };

export function sumOf(totals: Iterable<Sum>): Sum {
  let sum = nothing;
  for (const total of totals) sum = plus(sum, total);
  return sum;
}

/** Dearest first, then by name. */
export function dearestFirst<Row extends { readonly name: string; readonly sum: Sum }>(rows: readonly Row[]): readonly Row[] {
  return rows.toSorted((a, b) => b.sum.cost - a.sum.cost || b.sum.requests - a.sum.requests || (a.name < b.name ? -1 : 1));
}

/** In the order of their first appearance. @param nameOf undefined: it is part of none */
export function groupBy<Total>(
  totals: Iterable<Total>,
  nameOf: (total: Total) => string | undefined,
): ReadonlyMap<string, readonly Total[]> {
  const groups = new Map<string, Total[]>();
  for (const total of totals) {
    const name = nameOf(total);
    if (name === undefined) continue;
    const group = groups.get(name);
    if (group === undefined) groups.set(name, [total]);
    else group.push(total);
  }
  return groups;
}

function plus(a: Sum, b: Sum): Sum {
  return {
    requests: a.requests + b.requests,
    successes: a.successes + b.successes,
    cacheHits: a.cacheHits + b.cacheHits,
    unknownCosts: a.unknownCosts + b.unknownCosts,
    cost: a.cost + b.cost,
    saved: a.saved + b.saved,
    tokens: {
      input: a.tokens.input + b.tokens.input,
      output: a.tokens.output + b.tokens.output,
      cacheRead: a.tokens.cacheRead + b.tokens.cacheRead,
      cacheWrite5m: a.tokens.cacheWrite5m + b.tokens.cacheWrite5m,
      cacheWrite1h: a.tokens.cacheWrite1h + b.tokens.cacheWrite1h,
      reasoning: a.tokens.reasoning + b.tokens.reasoning,
      serverTools: a.tokens.serverTools + b.tokens.serverTools,
    },
  };
}
