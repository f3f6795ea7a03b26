/** The decision itself, out of what is known of the deployments that can and may be asked. */

import type { Awaitable, Cooldown, DeploymentState } from "../../sdk/routing-store.ts";
import type { Strategy, StrategyRequest } from "../../sdk/strategy.ts";
import { andThen } from "./awaitable.ts";
import { DeploymentCandidate, isOverLimits, rank } from "./candidates.ts";
import type { Choice, ChoiceQuestion, ChosenBy } from "./choice.ts";
import type { Deployment } from "./deployment.ts";
import type { Leg } from "./leg.ts";
import { rateLimitError } from "./limits-error.ts";
import type { LeftOut } from "./pre-call-checks.ts";

/** What is known of the deployments right now, in their order. */
export interface Known {
  readonly cooldowns: readonly (Cooldown | undefined)[];
  /** Undefined where nobody needs them. */
  readonly states: readonly DeploymentState[] | undefined;
  /** Where the session went last. */
  readonly bound: string | undefined;
  readonly inputTokens: number;
}

export interface DecideServices {
  /** From 0 to less than 1. */
  readonly random: () => number;
  /** ms since 1970 */
  readonly wallClock: () => number;
  /** Results of checks; undefined where there are none. */
  readonly health?: { isUnhealthy(deploymentId: string): boolean } | undefined;
}

interface Standing {
  readonly candidate: DeploymentCandidate;
  readonly cooldown: Cooldown | undefined;
}

/** @param leftOut is added to */
export function decide(
  deployments: readonly Deployment[],
  known: Known,
  question: ChoiceQuestion,
  services: DecideServices,
  leftOut: LeftOut,
): Awaitable<Choice> {
  const { exchange, leg, tried } = question;
  const { inputTokens } = known;
  const standings = deployments.map((deployment, index): Standing => ({
    candidate: new DeploymentCandidate(deployment, { group: leg.group, state: known.states?.[index], inputTokens }),
    cooldown: known.cooldowns[index],
  }));
  const sound = withoutUnhealthy(standings, question, services, leftOut);
  const inUse = sound.filter(({ cooldown }) => cooldown === undefined);
  const isPanic = inUse.length === 0;
  if (!isPanic && inUse.length < sound.length) noteCooled(sound, leftOut);
  const reachable = isPanic ? sound : inUse;
  const left = withoutFull(reachable, question, leftOut);
  const full = (): Choice => ({ type: "none", error: rateLimitError(candidatesOf(reachable), services.wallClock()) });
  if (left.length === 0) return full();
  if (isPanic) return panic(left, question);

  const candidates = candidatesOf(left);
  const choose = (candidate: DeploymentCandidate, by: ChosenBy): Choice => {
    const others = candidates.filter((each) => each !== candidate && !tried.has(each.deploymentId));
    return chosen(leg, candidate.deployment, candidates.length === 1 ? "only" : by, others.length);
  };
  const ranks = rank(candidates, tried);
  const bound = ranks[0]?.find(({ deploymentId }) => deploymentId === known.bound);
  if (bound !== undefined && !isOverLimits(bound)) return choose(bound, "affinity");
  const request = { stream: exchange.facts.stream, inputTokens, random: services.random };
  return andThen(ask(exchange.snapshot.strategy, ranks, request), (candidate) =>
    candidate === undefined ? full() : choose(candidate, "strategy"),
  );
}

export function chosen({ group }: Leg, deployment: Deployment, by: ChosenBy, others: number): Choice {
  return { type: "target", target: { group, deployment, model: deployment.model }, by, others };
}

function candidatesOf(standings: readonly Standing[]): readonly DeploymentCandidate[] {
  return standings.map(({ candidate }) => candidate);
}

/** Where all failed their checks, the checks may be what is wrong. */
function withoutUnhealthy(
  standings: readonly Standing[],
  { exchange }: ChoiceQuestion,
  { health }: DecideServices,
  leftOut: LeftOut,
): readonly Standing[] {
  if (health === undefined || !exchange.snapshot.config.router.health.routing) return standings;
  const isUnhealthy = standings.map(({ candidate }) => health.isUnhealthy(candidate.deploymentId));
  if (isUnhealthy.every(Boolean)) return standings;
  for (const [index, { candidate }] of standings.entries())
    if (isUnhealthy[index] === true) leftOut.set(candidate.deploymentId, "it failed its last check");
  return standings.filter((_, index) => isUnhealthy[index] === false);
}

function noteCooled(standings: readonly Standing[], leftOut: LeftOut): void {
  for (const { candidate, cooldown } of standings) {
    if (cooldown !== undefined)
      leftOut.set(candidate.deploymentId, `out of use for another ${Math.ceil(cooldown.ms / 1000)} s: ${cooldown.reason}`);
  }
}

/** Where limits of a minute are more than a measure of how to share. */
function withoutFull(standings: readonly Standing[], { exchange, leg }: ChoiceQuestion, leftOut: LeftOut): readonly Standing[] {
  const { preCallChecks, enforceLimits } = exchange.snapshot.config.router;
  if (!(preCallChecks || enforceLimits) || leg.by === "deployment id") return standings;
  return standings.filter(({ candidate }) => {
    const { rpm, state, deploymentId } = candidate;
    // The checks know of requests only, as LiteLLM's do.
    const isFull = enforceLimits ? isOverLimits(candidate) : rpm !== undefined && state.requests >= rpm;
    if (isFull) leftOut.set(deploymentId, "it is over its limits of this minute");
    return !isFull;
  });
}

/** Somebody has to be asked: of those that failed least often for this request the one that is out of use for the shortest time. */
function panic(standings: readonly Standing[], { leg, tried }: ChoiceQuestion): Choice {
  const failures = ({ candidate }: Standing): number => tried.get(candidate.deploymentId) ?? 0;
  const [first] = standings.toSorted(
    (one, other) => failures(one) - failures(other) || (one.cooldown?.ms ?? 0) - (other.cooldown?.ms ?? 0),
  );
  if (first === undefined) throw new Error("nobody is left to be asked");
  return chosen(leg, first.candidate.deployment, "panic", 0);
}

/** Those of a later rank only where each of an earlier one is over its limits. */
function ask(
  strategy: Strategy,
  ranks: readonly (readonly DeploymentCandidate[])[],
  request: StrategyRequest,
): Awaitable<DeploymentCandidate | undefined> {
  const [first, ...later] = ranks;
  if (first === undefined) return undefined;
  if (first.length === 1 && strategy.usesState === false) return first[0];
  return andThen(strategy.choose(first, request), (choice) => {
    if (choice === undefined) return ask(strategy, later, request);
    const found = first.find(({ deploymentId }) => deploymentId === choice.deploymentId);
    if (found === undefined) throw new Error(`the strategy chose "${choice.deploymentId}", which is no candidate`);
    return found;
  });
}
