/** `/user/daily/activity`: every day with its requests, tokens and spend, and the same by model, group, provider and key. */

import type { Json } from "../../sdk/body.ts";
import type { Grouping, LedgerTotal } from "../../sdk/ledger.ts";
import { toUsd } from "../../sdk/money.ts";
import type { KeyNames } from "./key-names.ts";
import { groupBy, type Sum, sumOf } from "./sums.ts";
import { countTokens } from "./token-counts.ts";

export const activityGroupings: readonly Grouping[] = ["day", "model", "modelAsked", "provider", "key"];

export interface ActivityPage {
  /** From 1. */
  readonly page: number;
  /** Days. */
  readonly size: number;
}

/** Newest day first. A day is never divided between pages; the totals are those of the page. @param totals by `activityGroupings` */
export function dailyActivity(totals: readonly LedgerTotal[], names: KeyNames, { page, size }: ActivityPage): Json {
  const days = [...groupBy(totals, ({ by }) => by[0])].toSorted(([a], [b]) => (a < b ? 1 : -1));
  const shown = days.slice((page - 1) * size, page * size);
  const pages = Math.ceil(days.length / size);
  return {
    results: shown.map(([date, ofDay]) => ({ date, metrics: metricsOf(sumOf(ofDay)), breakdown: breakdownOf(ofDay, names) })),
    metadata: {
      ...totalsOf(sumOf(shown.flatMap(([, ofDay]) => ofDay))),
      page,
      total_pages: pages,
      has_more: page < pages,
    },
  };
}

function breakdownOf(totals: readonly LedgerTotal[], names: KeyNames): Json {
  const by = (index: number): Json =>
    Object.fromEntries(
      [...named(totals, index)].map(([name, group]) => [
        name,
        { metrics: metricsOf(sumOf(group)), metadata: {}, api_key_breakdown: byKey(group, names) },
      ]),
    );
  return { mcp_servers: {}, models: by(1), model_groups: by(2), providers: by(3), api_keys: byKey(totals, names), entities: {} };
}

function byKey(totals: readonly LedgerTotal[], names: KeyNames): Json {
  return Object.fromEntries(
    [...named(totals, 4)].map(([id, group]) => {
      const key = names.get(id);
      return [id, { metrics: metricsOf(sumOf(group)), metadata: { key_alias: key?.alias ?? null, team_id: key?.teamId ?? null } }];
    }),
  );
}

/** What has no name is in the sum of the day only. */
function named(totals: readonly LedgerTotal[], index: number): ReadonlyMap<string, readonly LedgerTotal[]> {
  return groupBy(totals, ({ by }) => (by[index] === "" ? undefined : by[index]));
}

function metricsOf(sum: Sum): Json {
  return {
    spend: toUsd(sum.cost),
    ...countTokens(sum.tokens),
    successful_requests: sum.successes,
    failed_requests: sum.requests - sum.successes,
    api_requests: sum.requests,
    unknown_cost_requests: sum.unknownCosts,
  };
}

function totalsOf(sum: Sum): Readonly<Record<string, Json>> {
  const tokens = countTokens(sum.tokens);
  return {
    total_spend: toUsd(sum.cost),
    total_prompt_tokens: tokens.prompt_tokens,
    total_completion_tokens: tokens.completion_tokens,
    total_tokens: tokens.total_tokens,
    total_api_requests: sum.requests,
    total_successful_requests: sum.successes,
    total_failed_requests: sum.requests - sum.successes,
    total_cache_read_input_tokens: tokens.cache_read_input_tokens,
    total_cache_creation_input_tokens: tokens.cache_creation_input_tokens,
    unknown_cost_requests: sum.unknownCosts,
  };
}
