/** One turn of a group: an attempt, or two side by side where the first is slow to begin and the configuration asks for it. */

import type { AttemptReason, Exchange } from "../exchange.ts";
import type { Choice } from "../routing/choice.ts";
import type { PlannedTarget } from "../routing/leg.ts";
import { type AttemptResult, makeAttempt } from "./attempt.ts";
import { type Contender, hedge } from "./hedge.ts";
import { originOf } from "./origin.ts";
import type { LegServices, Round } from "./try-leg.ts";

export interface Turn {
  readonly round: Round;
  readonly choice: Extract<Choice, { readonly type: "target" }>;
  readonly reason: AttemptReason;
  /** Whether anything could be tried after this turn: then the head of the reply is held. */
  readonly isHeld: boolean;
}

/**
 * @returns the reply that is taken, or the last failure; those that failed are noted in the round
 * @throws what no other attempt could mend
 */
export async function runTurn(exchange: Exchange, services: LegServices, turn: Turn): Promise<AttemptResult> {
  const { choice, reason } = turn;
  const { hedgeAfterMs } = choice.target.deployment.routing;
  const isHedged = hedgeAfterMs !== undefined && choice.others > 0 && exchange.operation === "generate";
  const results = isHedged
    ? await runHedged(exchange, services, turn, hedgeAfterMs)
    : [await start(exchange, services, turn, { target: choice.target, reason, isHeld: turn.isHeld }, exchange.signal)];
  for (const result of results) if (result.type === "failed") noteFailure(turn.round, result.target);
  const last = results.at(-1);
  if (last === undefined) throw new Error("a turn without an attempt");
  return last;
}

function runHedged(exchange: Exchange, services: LegServices, turn: Turn, afterMs: number): Promise<readonly AttemptResult[]> {
  const { choice, round, reason } = turn;
  const contend = (target: PlannedTarget, why: AttemptReason): Contender<AttemptResult> => {
    const own = new AbortController();
    const signal = AbortSignal.any([exchange.signal, own.signal]);
    const result = start(exchange, services, turn, { target, reason: why, isHeld: true }, signal);
    return {
      result,
      discard() {
        own.abort(new Error("another deployment was faster"));
        result.then(
          (ended) => (ended.type === "reply" ? ended.discard() : undefined),
          () => undefined,
        );
      },
    };
  };
  return hedge({
    afterMs,
    signal: exchange.signal,
    first: contend(choice.target, reason),
    async second() {
      const tried = new Map(round.tried).set(choice.target.deployment.deploymentId, 1);
      const other = await services.chooser.choose({ exchange, leg: round.leg, tried });
      if (other.type === "none" || tried.has(other.target.deployment.deploymentId)) return undefined;
      exchange.trace.add("call", "asking another deployment as well", { deployment: other.target.deployment.deploymentId, afterMs });
      return contend(other.target, "hedge");
    },
    isTaken: ({ type }) => type === "reply",
  });
}

interface Start {
  readonly target: PlannedTarget;
  readonly reason: AttemptReason;
  readonly isHeld: boolean;
}

function start(
  exchange: Exchange,
  services: LegServices,
  { round }: Turn,
  { target, reason, isHeld }: Start,
  signal: AbortSignal,
): Promise<AttemptResult> {
  exchange.target = target;
  return makeAttempt(exchange, services, {
    target,
    reason,
    signal,
    body: round.body,
    isRetry: round.journey.failedOrigins.has(originOf(target.deployment)),
    leg: round.leg,
    holdMs: isHeld ? exchange.snapshot.config.router.holdMs : undefined,
  });
}

function noteFailure({ tried, journey }: Round, { deployment }: PlannedTarget): void {
  tried.set(deployment.deploymentId, (tried.get(deployment.deploymentId) ?? 0) + 1);
  journey.failedOrigins.add(originOf(deployment));
}
