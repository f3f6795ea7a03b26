/** One attempt from its slot to its end in the books: asked, held until there is content, and taken or counted as failed. */

import { randomUUID } from "node:crypto";

import type { ReplySummary } from "../../sdk/dialect.ts";
import { ProxyError } from "../../sdk/errors.ts";
import type { RequestBody } from "../../sdk/body.ts";
import type { AttemptReason, Exchange, Reply } from "../exchange.ts";
import type { AttemptAccount } from "../ledger/accounts.ts";
import { LimitExceeded } from "../limits/exceeded.ts";
import type { Limiter } from "../limits/hold.ts";
import { partiesOfDeployment } from "../limits/parties.ts";
import { refusalOf } from "../limits/refusal.ts";
import { pricedFor } from "../ledger/open-accounts.ts";
import type { Leg, PlannedTarget } from "../routing/leg.ts";
import { type Slots, slotLimit } from "../routing/slots.ts";
import type { CredentialOwner } from "./transmit.ts";
import { type Abandoned, detachable, onDisconnectOf } from "../stream/abandoned.ts";
import { openReply } from "../stream/opening.ts";
import { ConnectionError } from "../upstream/connection-error.ts";
import { type AskServices, ask } from "./ask.ts";
import { type Books, book } from "./booking.ts";
import { classifyInBand, classifyThrown } from "./classify.ts";
import { type ConsequenceServices, takeConsequences } from "./consequences.ts";
import type { Failure } from "./failure.ts";
import { readOddReply } from "./odd-reply.ts";
import { originOf } from "./origin.ts";
import { sendTimeouts } from "./send-timeouts.ts";
import { type CommitServices, commit, endWithExchange } from "./commit.ts";

export interface AttemptServices extends AskServices, Books, ConsequenceServices, CommitServices {
  inBackground(work: Promise<unknown>): void;
  readonly limiter: Limiter;
  readonly slots: Slots;
  readonly abandoned: Pick<Abandoned, "keep">;
}

export interface AttemptOptions {
  readonly target: PlannedTarget;
  /** In place of the exchange's own: a request of the hub. */
  readonly body: RequestBody | undefined;
  readonly reason: AttemptReason;
  /** Whether this upstream has failed for the same request already. */
  readonly isRetry: boolean;
  readonly leg: Leg;
  /** How long the head of a stream is held; undefined where nothing else could be tried: then bytes flow at once. */
  readonly holdMs: number | undefined;
  readonly signal: AbortSignal;
}

export type AttemptResult =
  | {
      readonly type: "reply";
      readonly target: PlannedTarget;
      readonly reply: Reply;
      readonly leg: Leg;
      /** Undefined where nobody was asked. */
      readonly credential: CredentialOwner | undefined;
      /** It is what the caller gets. */
      commit(): Promise<void>;
      /** It is what the caller gets behind what another one has said. */
      endWithExchange(): void;
      /** It broke off. */
      fail(failure: Failure): Promise<void>;
      /** Another one is taken. */
      discard(): void;
    }
  | { readonly type: "failed"; readonly target: PlannedTarget; readonly failure: Failure };

/**
 * @throws what no other attempt could mend: a hook's denial, the reason of the signal, a defect
 */
export async function makeAttempt(exchange: Exchange, services: AttemptServices, options: AttemptOptions): Promise<AttemptResult> {
  const { target, body, reason, signal, holdMs } = options;
  const { deployment } = target;
  const { deploymentId } = deployment;
  const { defaultMaxParallelRequests } = exchange.snapshot.config.router;
  const release = await services.slots.acquire(deploymentId, slotLimit(deployment.routing, defaultMaxParallelRequests), signal);
  const origin = originOf(deployment);
  const booked = book(services, { deploymentId, origin, isRetry: options.isRetry, release });
  const startedAt = exchange.now();
  const account = exchange.accounts?.open(reason, (model) => pricedFor(exchange, target, model));
  const isCallersTimeout = exchange.options.timeoutMs !== undefined || exchange.options.streamTimeoutMs !== undefined;
  // What is billed to its end is read to its end, though its caller may leave.
  const own = onDisconnectOf(deployment) === "drain" ? detachable(signal) : undefined;
  const fail = async (failure: Failure, credential: "own" | "shared"): Promise<AttemptResult> => {
    account?.failed(failure.class);
    await takeConsequences(exchange, services, { deployment, leg: options.leg, failure, credential, booked });
    return { type: "failed", target, failure };
  };
  try {
    const broke = account === undefined ? undefined : await holdBudgets(exchange, services, target, account);
    if (broke !== undefined) {
      booked.end(nothing);
      return { type: "failed", target, failure: broke };
    }
    const asked = await ask(exchange, services, { target, body, reason, account, signal: own?.signal ?? signal });
    if (asked.type === "refused") return await fail(asked.failure, asked.credential);
    let { reply } = asked;
    const { credential } = asked;
    const isHeld = holdMs !== undefined && credential !== undefined && exchange.operation === "generate";
    let contentAt: number | undefined;
    if (isHeld) {
      const { headersMs } = sendTimeouts(deployment.timeouts, exchange);
      const leftMs = Math.max(0, headersMs - (exchange.now() - startedAt));
      const opening = await openReply(exchange, reply, { holdMs: Math.min(holdMs, leftMs), signal });
      if (opening.type === "failed") return await fail(classifyInBand(opening.error, services.wallClock(), credential), credential);
      ({ reply } = opening);
      if (opening.type === "content") contentAt = exchange.now();
      // Headers alone are no beginning.
      if (opening.type === "undecided" && reply.isEventStream && exchange.now() - startedAt >= headersMs) {
        letGo(reply);
        return await fail(classifyInBand(noContent(originOf(deployment), headersMs), services.wallClock(), credential), credential);
      }
    }
    if (!isHeld && credential !== undefined) {
      const read = await readOddReply(exchange, reply);
      if (read instanceof ProxyError) return await fail(classifyInBand(read, services.wallClock(), credential), credential);
      reply = read;
    }
    if (own !== undefined && reply.status === 200) {
      own.detach();
      exchange.accounts?.willReadOn();
      reply = services.abandoned.keep(exchange, reply, (summary) => noteAbandoned(exchange, services, deploymentId, summary));
    }
    const committed = { target, reply, credential, booked, startedAt, contentAt, leg: options.leg };
    return {
      type: "reply",
      target,
      leg: options.leg,
      credential,
      reply,
      async commit() {
        exchange.accounts?.take(account);
        endWithExchange(exchange, services, committed);
        await commit(exchange, services, committed);
      },
      endWithExchange() {
        exchange.accounts?.take(account);
        endWithExchange(exchange, services, committed);
      },
      fail: async (failure) => void (await fail(failure, credential ?? "shared")),
      discard() {
        account?.dropped();
        booked.end(nothing);
        letGo(reply);
      },
    };
  } catch (error) {
    const failure = signal.aborted ? undefined : classifyThrown(error, services.wallClock(), { isCallersTimeout });
    if (failure !== undefined) return fail(failure, "shared");
    account?.dropped();
    booked.end(nothing);
    throw error;
  }
}

/** @returns why it cannot be asked: what may be spent with it, or with its provider, is used up */
async function holdBudgets(
  exchange: Exchange,
  { limiter, wallClock }: AttemptServices,
  target: PlannedTarget,
  account: AttemptAccount,
): Promise<Failure | undefined> {
  const parties = partiesOfDeployment(target.deployment, exchange.snapshot.config);
  if (parties.length === 0) return undefined;
  const id = `${exchange.id}:${randomUUID()}`;
  try {
    const held = await limiter.hold({ id, parties, tokens: 0, cost: pricedFor(exchange, target, target.model).estimate });
    account.onClosed((cost) => held.settle({ tokens: undefined, cost }));
    return undefined;
  } catch (error) {
    const { deploymentId, providerName } = target.deployment;
    if (refusalOf(error, {}, wallClock()) === undefined) throw error;
    const owner = error instanceof LimitExceeded && error.limit.owner === "provider" ? providerName : deploymentId;
    exchange.trace.add("call", "its budget is used up", { deployment: deploymentId, owner });
    const message = `What may be spent with ${owner} is used up.`;
    return classifyInBand(new ProxyError(message, { status: 429, kind: "billing_error" }), wallClock());
  }
}

function letGo({ body }: Reply): void {
  void body[Symbol.asyncIterator]()
    .return?.()
    .then(undefined, () => undefined);
}

function noContent(origin: string, ms: number): ConnectionError {
  const message = `${origin} sent no content within ${ms / 1000} s`;
  return new ConnectionError(message, { status: 504, kind: "api_error", fault: "first-byte-timeout" });
}

function noteAbandoned(exchange: Exchange, services: AttemptServices, deployment: string, { usage }: ReplySummary): void {
  const { inputTokens, outputTokens } = usage ?? {};
  const written = exchange.accounts?.readOn(usage);
  if (written !== undefined) services.inBackground(written);
  services.logger.info(
    { requestId: exchange.id, deployment, inputTokens, outputTokens },
    "the rest of an answer nobody waits for was read",
  );
}

const nothing = { outcome: "none", tokens: 0, latency: undefined, firstContent: undefined } as const;
