/** Opens the accounts of an exchange: whose it is, and what those who may be asked cost. */

import type { Usage } from "../../sdk/dialect.ts";
import { hubDialect } from "../../sdk/hub/dialect.ts";
import type { ExchangeStart, LedgerCaller, LedgerStore } from "../../sdk/ledger.ts";
import type { Logger } from "../../sdk/log.ts";
import type { Exchange } from "../exchange.ts";
import { accountOf } from "../keys/account.ts";
import type { PlannedTarget } from "../routing/leg.ts";
import { costNano } from "../spend/cost.ts";
import { estimate, guessInputTokens } from "../spend/estimate.ts";
import { ledgerTokens } from "../spend/ledger-tokens.ts";
import { costAsAsked } from "../spend/saved.ts";
import { Accounts, type Priced, type Served } from "./accounts.ts";
import { ExchangeBook } from "./exchange-book.ts";

export interface AccountServices {
  readonly stores: { readonly ledger: Pick<LedgerStore, "write"> };
  /** Of this process. */
  readonly instance: string;
  readonly logger: Logger;
  readonly wallClock: () => number;
}

/** @param address of the other end of the connection */
export function openAccounts(exchange: Exchange, services: AccountServices, address: string | undefined): Accounts {
  const { stores, instance, logger, wallClock } = services;
  const startedAt = wallClock();
  return new Accounts({
    book: new ExchangeBook({ ledger: stores.ledger, instance, wallClock, describe: () => describe(exchange, { startedAt, address }) }),
    tokens: ledgerTokens,
    asAsked: (usage) => costAsAsked(usage, exchange.modelAsked),
    served: () => servedBy(exchange),
    onTrouble: (error) => logger.error({ requestId: exchange.id, error }, "the ledger did not take what a request cost"),
  });
}

function servedBy({ target }: Exchange): Served | undefined {
  if (target === undefined) return undefined;
  const { providerName: provider, deploymentId } = target.deployment;
  return { model: target.model, provider, deploymentId };
}

interface Circumstances {
  readonly startedAt: number;
  readonly address: string | undefined;
}

/** Called while the request is there. */
function describe(exchange: Exchange, { startedAt, address }: Circumstances): Omit<ExchangeStart, "instance"> {
  const { facts, dialect } = exchange;
  // What another dialect says is not translated for the books alone.
  const isHub = dialect === hubDialect;
  return {
    id: exchange.id,
    startedAt,
    operation: exchange.operation,
    caller: callerOf(exchange, address),
    session: facts.session,
    agent: isHub ? (facts.agentType ?? facts.agentId) : undefined,
    requestClass: isHub && exchange.operation === "generate" ? facts.requestClass : undefined,
    client: facts.client,
    label: exchange.label ?? "default",
    modelAsked: exchange.modelAsked,
    tags: exchange.options.tags,
  };
}

function callerOf({ caller }: Exchange, address: string | undefined): LedgerCaller {
  const key = caller.holder?.key;
  return {
    kind: caller.kind,
    keyId: key === undefined ? undefined : accountOf(key),
    keyAlias: key?.alias,
    userId: key?.userId,
    teamId: key?.teamId,
    address,
  };
}

/** Of one deployment, for the request as it is. */
export function pricedFor(exchange: Exchange, { deployment, group }: PlannedTarget, model: string): Priced {
  const { info, deploymentId, providerName, apiBase } = deployment;
  const answered = { providerName, model };
  return {
    deploymentId,
    group,
    provider: providerName,
    model,
    apiBase,
    estimate: estimate({ inputTokens: guessInputTokens(exchange.received.body.bytes.length), maxOutputTokens: undefined, info, answered }),
    cost: (usage: Usage | undefined) => costNano(usage, info, answered),
  };
}
