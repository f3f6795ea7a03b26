/** What `ccproxy spend` shows: one row for each name, dearest first, and what all of it comes to. */

import type { Grouping, LedgerTotal } from "../../sdk/ledger.ts";
import { toUsd } from "../../sdk/money.ts";
import type { KeyNames } from "./key-names.ts";
import { nothing, type Sum } from "./sums.ts";

/** By what the command line may ask. */
export type CostGrouping = Exclude<Grouping, "modelAsked" | "agent">;
export const costGroupings: readonly CostGrouping[] = [
  "model",
  "key",
  "session",
  "label",
  "day",
  "user",
  "team",
  "tag",
  "provider",
  "deployment",
];

export interface CostFigures {
  readonly requests: number;
  /** Of those whose cost is known; null where it is known of none. */
  readonly cost_usd: number | null;
  readonly unknown_cost_requests: number;
  /** Against the models that were asked for; null where no cost is known. Below 0: what was chosen is dearer. */
  readonly saved_usd: number | null;
  readonly tokens: {
    readonly input: number;
    readonly output: number;
    readonly cache_read: number;
    readonly cache_write: number;
    /** Among `output`. */
    readonly reasoning: number;
  };
  readonly cache_hits: number;
}

export interface CostRow extends CostFigures {
  /** Of a key its alias, or what people know it by; empty where a request has none. */
  readonly name: string;
}

export interface CostTable {
  /** ISO 8601; null where everything is meant. */
  readonly from: string | null;
  readonly to: string;
  readonly by: CostGrouping;
  /** Dearest first, days in their order. With `tag` a request counts once for each of its tags. */
  readonly rows: readonly CostRow[];
  /** Each request once. */
  readonly total: CostFigures;
}

export interface CostTableInit {
  readonly by: CostGrouping;
  readonly from: number | undefined;
  readonly to: number;
  /** By `by` alone. */
  readonly totals: readonly LedgerTotal[];
  readonly total: Sum | undefined;
  readonly names: KeyNames;
}

export function costTable({ by, from, to, totals, total, names }: CostTableInit): CostTable {
  const rows = totals.map(({ by: [name = ""], ...sum }) => ({ name: by === "key" ? keyName(name, names) : name, ...figures(sum) }));
  return {
    from: from === undefined ? null : new Date(from).toISOString(),
    to: new Date(to).toISOString(),
    by,
    rows: by === "day" ? rows.toSorted((a, b) => (a.name < b.name ? -1 : 1)) : rows,
    total: figures(total ?? nothing),
  };
}

function keyName(id: string, names: KeyNames): string {
  const key = names.get(id);
  return key?.alias ?? key?.name ?? id;
}

function figures({ requests, unknownCosts, cost, saved, tokens, cacheHits }: Sum): CostFigures {
  const isAllUnknown = requests > 0 && unknownCosts === requests;
  return {
    requests,
    cost_usd: isAllUnknown ? null : toUsd(cost),
    unknown_cost_requests: unknownCosts,
    saved_usd: isAllUnknown ? null : toUsd(saved),
    tokens: {
      input: tokens.input,
      output: tokens.output,
      cache_read: tokens.cacheRead,
      cache_write: tokens.cacheWrite5m + tokens.cacheWrite1h,
      reasoning: tokens.reasoning,
    },
    cache_hits: cacheHits,
  };
}
