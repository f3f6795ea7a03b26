/** `GET /spend/logs`: rows of requests, newest first, or what each day came to. */

import type { Context } from "koa";

import type { ExchangeEnd, ExchangeRecord, LedgerFilter } from "../../sdk/ledger.ts";
import { dailySpend, dailySpendGroupings } from "../reports/daily-spend.ts";
import { type SpendLog, spendLog } from "../reports/spend-log.ts";
import { countParameter, flagParameter, rangeOf, textParameter } from "./spend-query.ts";
import { keyParameter, type SpendReader } from "./spend-reader.ts";

const usualRows = 1000;
const mostRows = 10_000;
/** Attempts are read for so many exchanges at once. */
const stride = 50;

/**
 * A range of dates is added up by day unless `summarize=false`, as LiteLLM does it.
 * Where there are more rows than `limit`, the header `x-ccproxy-next-before` names the last one: `before=` it gives the next ones.
 */
export async function answerSpendLogs(reader: SpendReader, ctx: Context): Promise<void> {
  const { from, to } = rangeOf(ctx);
  const requestId = textParameter(ctx, "request_id");
  const asked = { from, to, requestId, keyId: await keyParameter(ctx, reader.keys), userId: textParameter(ctx, "user_id") };
  const isSummary = flagParameter(ctx, "summarize", true) && requestId === undefined && (from !== undefined || to !== undefined);
  const limit = countParameter(ctx, "limit", usualRows, mostRows);
  const before = textParameter(ctx, "before");
  if (isSummary) return reader.answer(ctx, dailySpend(await reader.totals(ctx, dailySpendGroupings, asked), to));
  const filter = reader.filter(ctx, asked);
  const { rows, next } = filter === undefined ? nothing : await readRows(reader, filter, limit, before);
  if (next !== undefined) ctx.set("x-ccproxy-next-before", next);
  reader.answer(ctx, rows);
}

type Ended = ExchangeRecord & { readonly end: ExchangeEnd };

interface Rows {
  readonly rows: readonly SpendLog[];
  /** The id after which there may be more. */
  readonly next: string | undefined;
}

const nothing: Rows = { rows: [], next: undefined };

/** Those that have ended. */
async function readRows({ ledger }: SpendReader, filter: LedgerFilter, limit: number, before: string | undefined): Promise<Rows> {
  const rows: SpendLog[] = [];
  let next = before;
  while (rows.length < limit) {
    const page = await ledger.exchanges(filter, Math.min(stride, limit - rows.length), next);
    next = page.at(-1)?.id;
    if (next === undefined) return { rows, next };
    const ended = page.filter((exchange): exchange is Ended => exchange.end !== undefined);
    rows.push(...(await Promise.all(ended.map(async (exchange) => spendLog(exchange, await ledger.attempts(exchange.id))))));
  }
  return { rows, next };
}
