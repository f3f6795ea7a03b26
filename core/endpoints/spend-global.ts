/** `GET /global/spend*` and `/spend/tags`: what the whole proxy spent, or a caller's part of it. */

import type { Context } from "koa";

import type { Json } from "../../sdk/body.ts";
import { toUsd } from "../../sdk/money.ts";
import { spentByCustomer } from "../reports/customer-spend.ts";
import { readKeyNames } from "../reports/key-names.ts";
import { keyReportGroupings, reportByKey, reportByOwner, spentByTeam, teamReportGroupings } from "../reports/spend-report.ts";
import { nothing } from "../reports/sums.ts";
import { choiceParameter, countParameter, rangeOf, requiredRangeOf, textParameter } from "./spend-query.ts";
import { keyParameter, type SpendReader } from "./spend-reader.ts";

/** What LiteLLM's views look back. */
const viewMs = 30 * 86_400_000;
const usualLimit = 10;
const mostLimit = 10_000;

/** Of the last 30 days. */
export async function answerGlobalSpend(reader: SpendReader, ctx: Context): Promise<void> {
  const [total = nothing] = await reader.totals(ctx, [], { from: reader.now - viewMs });
  reader.answer(ctx, { spend: toUsd(total.cost), max_budget: null, unknown_cost_requests: total.unknownCosts });
}

export async function answerGlobalKeys(reader: SpendReader, ctx: Context): Promise<void> {
  const limit = countParameter(ctx, "limit", usualLimit, mostLimit);
  const totals = (await reader.totals(ctx, ["key"], { from: reader.now - viewMs })).filter(({ by }) => by[0] !== "").slice(0, limit);
  const names = await readKeyNames(
    reader.keys,
    totals.map(({ by: [id = ""] }) => id),
  );
  const rows = totals.map(({ by: [id = ""], cost, unknownCosts }): Json => {
    const key = names.get(id);
    return {
      api_key: id,
      key_alias: key?.alias ?? null,
      key_name: key?.name ?? null,
      total_spend: toUsd(cost),
      unknown_cost_requests: unknownCosts,
    };
  });
  reader.answer(ctx, rows);
}

export async function answerGlobalModels(reader: SpendReader, ctx: Context): Promise<void> {
  const limit = countParameter(ctx, "limit", usualLimit, mostLimit);
  const totals = await reader.totals(ctx, ["model"], { from: reader.now - viewMs });
  reader.answer(
    ctx,
    totals
      .slice(0, limit)
      .map(({ by: [model = ""], cost, unknownCosts }): Json => ({ model, total_spend: toUsd(cost), unknown_cost_requests: unknownCosts })),
  );
}

/** A request counts once for each of its tags. */
export async function answerTags(reader: SpendReader, ctx: Context): Promise<void> {
  const totals = await reader.totals(ctx, ["tag"], rangeOf(ctx));
  const tagged = totals.filter(({ by }) => by[0] !== "");
  const rows = tagged.map(({ by: [tag = ""], cost, requests, unknownCosts }): Json => {
    return { individual_request_tag: tag, log_count: requests, total_spend: toUsd(cost), unknown_cost_requests: unknownCosts };
  });
  reader.answer(ctx, rows);
}

export async function answerReport(reader: SpendReader, ctx: Context): Promise<void> {
  const by = choiceParameter(ctx, "group_by", ["team", "customer", "api_key"], "team");
  const range = requiredRangeOf(ctx);
  const asked = {
    ...range,
    keyId: await keyParameter(ctx, reader.keys),
    userId: textParameter(ctx, "internal_user_id"),
    teamId: textParameter(ctx, "team_id"),
  };
  if (by === "api_key") return reader.answer(ctx, reportByKey(await reader.totals(ctx, keyReportGroupings, asked)));
  if (by === "customer") {
    const filter = reader.filter(ctx, asked);
    const spent = filter === undefined ? [] : await spentByCustomer(reader.ledger, filter);
    return reader.answer(
      ctx,
      reportByOwner(
        spent.filter(({ owner }) => owner !== ""),
        "customer",
        (owner) => owner,
      ),
    );
  }
  const spent = spentByTeam(await reader.totals(ctx, teamReportGroupings, asked));
  const ids = [...new Set(spent.map(({ owner }) => owner))].filter((id) => id !== "");
  const teams = await Promise.all(ids.map(async (id) => await reader.keys.get("team", id)));
  const names = new Map(teams.flatMap((team) => (team?.alias === undefined ? [] : [[team.id, team.alias]])));
  reader.answer(
    ctx,
    reportByOwner(spent, "team", (id) => (id === "" ? "Unassigned" : (names.get(id) ?? id))),
  );
}
