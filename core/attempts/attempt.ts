/** One attempt from its slot to its end in the books: asked, held until there is content, and taken or counted as failed. */

import type { RequestBody } from "../../sdk/body.ts";
import type { AttemptReason, Exchange, Reply } from "../exchange.ts";
import type { Leg, PlannedTarget } from "../routing/leg.ts";
import { type Slots, slotLimit } from "../routing/slots.ts";
import type { CredentialOwner } from "./transmit.ts";
import { openReply } from "../stream/opening.ts";
import { type AskServices, ask } from "./ask.ts";
import { type Books, book } from "./booking.ts";
import { classifyInBand, classifyThrown } from "./classify.ts";
import { type ConsequenceServices, takeConsequences } from "./consequences.ts";
import type { Failure } from "./failure.ts";
import { originOf } from "./origin.ts";
import { type CommitServices, commit, endWithExchange } from "./commit.ts";

export interface AttemptServices extends AskServices, Books, ConsequenceServices, CommitServices {
  readonly slots: Slots;
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
  const fail = async (failure: Failure, credential: "own" | "shared"): Promise<AttemptResult> => {
    await takeConsequences(exchange, services, { deployment, leg: options.leg, failure, credential, booked });
    return { type: "failed", target, failure };
  };
  try {
    const asked = await ask(exchange, services, { target, body, reason, signal });
    if (asked.type === "refused") return await fail(asked.failure, asked.credential);
    let { reply } = asked;
    const { credential } = asked;
    const isHeld = holdMs !== undefined && credential !== undefined && exchange.operation === "generate";
    if (isHeld) {
      const opening = await openReply(exchange, reply, { holdMs, signal });
      if (opening.type === "failed") return await fail(classifyInBand(opening.error, services.wallClock()), credential);
      ({ reply } = opening);
    }
    const contentAt = isHeld ? exchange.now() : undefined;
    const committed = { target, reply, credential, booked, startedAt, contentAt, leg: options.leg };
    return {
      type: "reply",
      target,
      leg: options.leg,
      credential,
      reply,
      async commit() {
        endWithExchange(exchange, services, committed);
        await commit(exchange, services, committed);
      },
      endWithExchange: () => endWithExchange(exchange, services, committed),
      fail: async (failure) => void (await fail(failure, credential ?? "shared")),
      discard() {
        booked.end(nothing);
        void reply.body[Symbol.asyncIterator]()
          .return?.()
          .then(undefined, () => undefined);
      },
    };
  } catch (error) {
    const failure = signal.aborted ? undefined : classifyThrown(error, services.wallClock());
    if (failure !== undefined) return fail(failure, "shared");
    booked.end(nothing);
    throw error;
  }
}

const nothing = { outcome: "none", tokens: 0, latency: undefined, firstContent: undefined } as const;
