/** What every exchange leaves behind, whatever became of it: a line in the log, and rows in the ledger. */

import type { Middleware } from "koa";

import { isFromCache } from "../cache/outcome.ts";
import { toUsd } from "../../sdk/money.ts";
import type { Exchange, Settlement } from "../exchange.ts";
import { type AccountServices, openAccounts } from "../ledger/open-accounts.ts";
import { afterwardsOf } from "../phases/afterwards.ts";
import type { Services } from "../services.ts";

export type LedgerServices = Pick<Services, "traces" | "routed" | "logger" | "inBackground"> & AccountServices;

export function createLedger(services: LedgerServices): Middleware {
  return async function ledger(ctx, next) {
    const { exchange } = ctx.state;
    keepAccounts(exchange, services, ctx.req.socket.remoteAddress);
    exchange.onSettled((settlement) => recordExchange(exchange, settlement, services));
    await next();
  };
}

/** What is counted for limits alone. */
const nowhere: AccountServices["stores"] = { ledger: { write: () => undefined } };

/** Of what costs something. What has not been written before the end of the reply is written with the settlement. */
export function keepAccounts(exchange: Exchange, services: LedgerServices, address: string | undefined): void {
  if (exchange.operation === "count_tokens") return;
  const accounts = openAccounts(
    exchange,
    exchange.snapshot.config.stores.keepsSpend ? services : { ...services, stores: nowhere },
    address,
  );
  exchange.accounts = accounts;
  exchange.onSettled(({ outcome, status, summary, bytes, firstByteMs, totalMs }) => {
    // Of a request that was never read there is nothing to tell.
    if (exchange.knownFacts === undefined) return;
    const isWhole = outcome === "completed" || outcome === "refused";
    const written = accounts.finish({
      outcome,
      status,
      usage: summary?.usage,
      isWhole,
      bytes,
      isCacheHit: isFromCache(exchange),
      firstByteMs,
      ms: totalMs,
    });
    if (written !== undefined) services.inBackground(written);
    const cost = accounts.finalCost;
    if (cost !== undefined) exchange.trace.add("ledger", "settled", { costUsd: cost === null ? null : toUsd(cost) });
  });
}

export function recordExchange(exchange: Exchange, settlement: Settlement, services: LedgerServices): void {
  const target = exchange.target;
  const isMain = exchange.operation === "generate" && exchange.parent === undefined;
  services.traces.keep(exchange.id, exchange.trace, isMain);
  exchange.trace.add("ingress", settlement.outcome, { status: settlement.status });
  if (target !== undefined && isMain) {
    services.routed({
      requestId: exchange.id,
      label: exchange.label ?? "default",
      modelAsked: exchange.modelAsked,
      modelServed: target.model,
      deployment: target.deployment.deploymentId,
      status: settlement.status,
      at: new Date().toISOString(),
    });
  }
  // Those who hear of the end are told in this turn; what they note belongs to the record too.
  queueMicrotask(() => {
    const running = afterwardsOf(exchange);
    const write = (): void => writeRecord(exchange, settlement, services);
    if (running === undefined) write();
    else void running.then(write, write);
  });
}

function writeRecord(exchange: Exchange, settlement: Settlement, services: Pick<LedgerServices, "logger">): void {
  const target = exchange.target;
  const { summary } = settlement;
  const facts = exchange.knownFacts;
  const { modelAsked } = exchange;
  const fields = {
    requestId: exchange.id,
    ...(exchange.parent === undefined ? {} : { madeFor: exchange.parent }),
    path: exchange.path,
    client: facts?.client,
    session: facts?.session,
    caller: exchange.caller.kind,
    label: exchange.label ?? "default",
    modelAsked,
    modelServed: target?.model,
    deployment: target?.deployment.deploymentId,
    status: settlement.status,
    outcome: settlement.outcome,
    attempts: exchange.attempts.length,
    inputTokens: summary?.usage?.inputTokens,
    outputTokens: summary?.usage?.outputTokens,
    cacheReadTokens: summary?.usage?.cacheReadTokens,
    cacheWriteTokens: summary?.usage?.cacheWriteTokens,
    firstByteMs: rounded(settlement.firstByteMs),
    ms: rounded(settlement.totalMs),
    snapshot: exchange.snapshot.id,
    ...(exchange.annotations.size === 0 ? {} : { annotations: Object.fromEntries(exchange.annotations) }),
    ...(settlement.error === undefined ? {} : { error: settlement.error }),
  };
  if (settlement.outcome === "upstream-failed") services.logger.warn(fields, "request");
  else services.logger.info(fields, "request");
}

function rounded(ms: number | undefined): number | undefined {
  return ms === undefined ? undefined : Math.round(ms * 10) / 10;
}
