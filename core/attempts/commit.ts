/** What follows when an attempt's reply is the one the caller gets: the session stays there, and its end is entered in the books. */

import { ProxyError } from "../../sdk/errors.ts";
import type { AttemptEnd } from "../../sdk/routing-store.ts";
import type { Exchange, Reply, Settlement } from "../exchange.ts";
import type { Chooser } from "../routing/choice.ts";
import type { Leg, PlannedTarget } from "../routing/leg.ts";
import type { BookedAttempt } from "./booking.ts";
import { classifyInBand, classifyThrown } from "./classify.ts";
import { type ConsequenceServices, takeConsequences, takeExhaustion, takeSuccess } from "./consequences.ts";
import type { CredentialOwner } from "./transmit.ts";

export interface CommitServices extends ConsequenceServices {
  readonly chooser: Chooser;
}

export interface Committed {
  readonly target: PlannedTarget;
  readonly reply: Reply;
  readonly credential: CredentialOwner | undefined;
  readonly booked: BookedAttempt;
  readonly startedAt: number;
  /** When the first content came; undefined where nobody looked. */
  readonly contentAt: number | undefined;
  readonly leg: Leg;
}

export async function commit(exchange: Exchange, services: CommitServices, committed: Committed): Promise<void> {
  const { target, leg, reply, credential } = committed;
  exchange.target = target;
  exchange.reported = reply.reported;
  if (credential === "shared") await takeExhaustion(exchange, services, { deployment: target.deployment, leg, headers: reply.headers });
  if (exchange.operation === "generate") await services.chooser.bind(exchange, target);
}

/** However the exchange ends, so does the attempt. */
export function endWithExchange(exchange: Exchange, services: CommitServices, committed: Committed): void {
  exchange.onSettled((settlement) => void enter(exchange, services, committed, settlement));
}

async function enter(exchange: Exchange, services: CommitServices, committed: Committed, settlement: Settlement): Promise<void> {
  const { target, leg, booked, credential } = committed;
  const { deployment } = target;
  const failure =
    settlement.outcome === "upstream-failed" && credential !== undefined
      ? failureOf(settlement, services.wallClock(), credential)
      : undefined;
  if (failure !== undefined && credential !== undefined) {
    await takeConsequences(exchange, services, { deployment, leg, failure, credential, booked });
    return;
  }
  const isGood = settlement.outcome === "completed" && credential !== undefined;
  const isFirst = booked.end(endOf(exchange, committed, settlement, isGood ? "success" : "none"));
  if (isFirst && isGood) await takeSuccess(services, deployment);
}

function failureOf({ error, summary }: Settlement, wallClock: number, credential: CredentialOwner): ReturnType<typeof classifyThrown> {
  if (typeof error !== "string") return classifyThrown(error, wallClock);
  const message = summary?.errorMessage ?? error;
  const status = error === "overloaded_error" ? 529 : error === "rate_limit_error" ? 429 : 502;
  const kind = error === "overloaded_error" || error === "rate_limit_error" ? error : "api_error";
  return classifyInBand(new ProxyError(message, { status, kind }), wallClock, credential);
}

function endOf(exchange: Exchange, committed: Committed, settlement: Settlement, outcome: AttemptEnd["outcome"]): AttemptEnd {
  const { startedAt, contentAt, reply } = committed;
  const usage = settlement.summary?.usage;
  const output = usage?.outputTokens ?? 0;
  const firstByteAt = settlement.firstByteMs === undefined ? undefined : exchange.receivedAt + settlement.firstByteMs;
  const begunAt = contentAt ?? firstByteAt;
  const seconds = (exchange.now() - startedAt) / 1000;
  return {
    outcome,
    tokens: (usage?.inputTokens ?? 0) + (usage?.cacheReadTokens ?? 0) + (usage?.cacheWriteTokens ?? 0) + output,
    latency: reply.isEventStream || outcome !== "success" ? undefined : seconds / Math.max(1, output),
    firstContent: reply.isEventStream && begunAt !== undefined ? (begunAt - startedAt) / 1000 : undefined,
  };
}
