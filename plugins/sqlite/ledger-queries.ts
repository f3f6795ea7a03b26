/** What is asked of the ledger, as SQL. Names of columns come from here only; whatever a filter holds is bound. */

import type { Grouping, LedgerFilter, LedgerTotal } from "../../sdk/ledger.ts";
import type { Row, Value } from "./database.ts";
import { tokenColumns, tokensOf } from "./ledger-rows.ts";
import { DamagedValue } from "./values.ts";

export interface Query {
  readonly sql: string;
  readonly values: readonly Value[];
}

/** Newest first; `e` is the exchange. */
export function exchangesQuery(filter: LedgerFilter, limit: number, before: string | undefined): Query {
  const { conditions, values } = conditionsOf(filter);
  if (before !== undefined) {
    conditions.push("(e.started_at, e.id) < (SELECT started_at, id FROM exchange WHERE id = ?)");
    values.push(before);
  }
  return {
    sql: `SELECT e.* FROM exchange e ${where(conditions)} ORDER BY e.started_at DESC, e.id DESC LIMIT ?`,
    values: [...values, limit],
  };
}

const groups: Readonly<Record<Grouping, string>> = {
  model: "coalesce(e.model_served, '')",
  modelAsked: "e.model_asked",
  key: "coalesce(e.key_id, '')",
  user: "coalesce(e.user_id, '')",
  team: "coalesce(e.team_id, '')",
  session: "coalesce(e.session, '')",
  agent: "coalesce(e.agent, '')",
  label: "e.label",
  tag: "coalesce(t.tag, '')",
  provider: "coalesce(e.provider, '')",
  deployment: "coalesce(e.deployment_id, '')",
  day: "strftime('%Y-%m-%d', e.started_at / 1000, 'unixepoch')",
};

/** `sum` of whole numbers is exact, or fails. */
const sums = [
  "count(*) AS requests",
  "sum(e.status BETWEEN 1 AND 399) AS successes",
  "sum(e.is_cache_hit) AS cache_hits",
  "sum(e.cost IS NULL) AS unknown_costs",
  "coalesce(sum(e.cost), 0) AS cost",
  "sum(e.cost IS NOT -e.cost_check) AS damaged_costs",
  "coalesce(sum(e.cost_as_asked - e.cost), 0) AS saved",
  ...tokenColumns.map((name) => `coalesce(sum(e.${name}), 0) AS ${name}`),
].join(", ");

export function totalsQuery(by: readonly Grouping[], filter: LedgerFilter): Query {
  const { conditions, values } = conditionsOf(filter);
  const names = by.map((_, index) => `by_${index}`);
  const columns = [...by.map((grouping, index) => `${groups[grouping]} AS by_${index}`), sums].join(", ");
  const tags = by.includes("tag") ? "LEFT JOIN exchange_tag t ON t.exchange = e.number" : "";
  const grouped = names.length === 0 ? "" : `GROUP BY ${names.join(", ")}`;
  return {
    sql: `SELECT ${columns} FROM exchange e ${tags} ${where(["e.ended_at IS NOT NULL", ...conditions])} ${grouped} HAVING count(*) > 0
      ORDER BY ${["cost DESC", ...names].join(", ")}`,
    values,
  };
}

export function readTotal(row: Row, groupings: number): LedgerTotal {
  if (row["damaged_costs"] !== 0) throw new DamagedValue("a cost differs from its check");
  return {
    by: Array.from({ length: groupings }, (_, index) => String(row[`by_${index}`])),
    requests: Number(row["requests"]),
    successes: Number(row["successes"]),
    cacheHits: Number(row["cache_hits"]),
    unknownCosts: Number(row["unknown_costs"]),
    cost: Number(row["cost"]),
    saved: Number(row["saved"]),
    tokens: tokensOf(row),
  };
}

function conditionsOf(filter: LedgerFilter): { readonly conditions: string[]; readonly values: Value[] } {
  const { from, to, requestId, keyId, userId, teamId, session, tag } = filter;
  const all: readonly (readonly [sql: string, value: string | number | undefined])[] = [
    ["e.started_at >= ?", from],
    ["e.started_at < ?", to],
    ["e.id = ?", requestId],
    ["e.key_id = ?", keyId],
    ["e.user_id = ?", userId],
    ["e.team_id = ?", teamId],
    ["e.session = ?", session],
    ["e.number IN (SELECT exchange FROM exchange_tag WHERE tag = ?)", tag],
  ];
  const given = all.filter((condition): condition is readonly [string, string | number] => condition[1] !== undefined);
  return { conditions: given.map(([sql]) => sql), values: given.map(([, value]) => value) };
}

function where(conditions: readonly string[]): string {
  return conditions.length === 0 ? "" : `WHERE ${conditions.join(" AND ")}`;
}
