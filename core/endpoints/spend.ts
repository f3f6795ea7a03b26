/** Who spent what, in LiteLLM's shapes, and for the command line. Unknown costs are counted apart, and are never 0. */

import type { Context, Middleware } from "koa";
import type Router from "koa-router";

import { activityGroupings, dailyActivity } from "../reports/daily-activity.ts";
import { costGroupings, costTable } from "../reports/cost-table.ts";
import { readKeyNames } from "../reports/key-names.ts";
import type { RequireCaller } from "./require-caller.ts";
import { answerGlobalKeys, answerGlobalModels, answerGlobalSpend, answerReport, answerTags } from "./spend-global.ts";
import { answerSpendLogs } from "./spend-logs.ts";
import { answerSpendKeys, answerSpendUsers } from "./spend-owners.ts";
import { choiceParameter, countParameter, requiredRangeOf, sinceParameter, textParameter } from "./spend-query.ts";
import { keyParameter, type ScopeOf, SpendReader, type SpendServices } from "./spend-reader.ts";

type Answer = (reader: SpendReader, ctx: Context) => Promise<void>;

const answers: Readonly<Record<string, Answer>> = {
  "/spend/logs": answerSpendLogs,
  "/spend/tags": answerTags,
  "/spend/keys": answerSpendKeys,
  "/spend/users": answerSpendUsers,
  "/global/spend": answerGlobalSpend,
  "/global/spend/report": answerReport,
  "/global/spend/keys": answerGlobalKeys,
  "/global/spend/models": answerGlobalModels,
  "/user/daily/activity": answerActivity,
};

const everything: ScopeOf = () => ({});

/** @param guard runs first, and refuses those who may not ask @param scopeOf what the others may see */
export function addSpend(router: Router, services: SpendServices, guard: Middleware, scopeOf: ScopeOf = everything): void {
  const reader = new SpendReader(services, scopeOf);
  for (const [path, answer] of Object.entries(answers)) router.get(path, guard, (ctx) => answer(reader, ctx));
}

/** `/ccproxy/spend?by=model&since=7d`: a `CostTable`. */
export function addSpendControl(
  router: Router,
  services: SpendServices,
  requireCaller: RequireCaller,
  scopeOf: ScopeOf = everything,
): void {
  const reader = new SpendReader(services, scopeOf);
  router.get("/ccproxy/spend", requireCaller, async (ctx) => {
    const { now } = reader;
    const by = choiceParameter(ctx, "by", costGroupings, "model");
    const from = sinceParameter(ctx, now, "7d");
    const totals = await reader.totals(ctx, [by], { from });
    // Of its own, since by tag a request counts more than once.
    const [total] = await reader.totals(ctx, [], { from });
    const ids = by === "key" ? totals.map(({ by: [id = ""] }) => id) : [];
    reader.answer(ctx, costTable({ by, from, to: now, totals, total, names: await readKeyNames(reader.keys, ids) }));
  });
}

const usualDays = 50;
const mostDays = 1000;

async function answerActivity(reader: SpendReader, ctx: Context): Promise<void> {
  const range = requiredRangeOf(ctx);
  const page = countParameter(ctx, "page", 1, 1_000_000);
  const size = countParameter(ctx, "page_size", usualDays, mostDays);
  const model = textParameter(ctx, "model");
  const asked = { ...range, keyId: await keyParameter(ctx, reader.keys), userId: textParameter(ctx, "user_id") };
  const found = await reader.totals(ctx, activityGroupings, asked);
  const totals = model === undefined ? found : found.filter(({ by }) => by[1] === model);
  const names = await readKeyNames(
    reader.keys,
    totals.map(({ by }) => by[4] ?? ""),
  );
  reader.answer(ctx, dailyActivity(totals, names, { page, size }));
}
