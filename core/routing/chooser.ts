/**
 * Chooses which deployment of a group is asked: what cannot do it, is not allowed, is unhealthy or out of use is left out;
 * of the others those with the lowest `order`; of these the one the session is bound to, else the strategy's choice.
 */

import type { Awaitable, Cooldown, DeploymentState, RoutingStore } from "../../sdk/routing-store.ts";
import type { Strategy } from "../../sdk/strategy.ts";
import type { Exchange } from "../exchange.ts";
import { affinityKey, keyToBind } from "./affinity.ts";
import { andThen } from "./awaitable.ts";
import { DeploymentCandidate, hasLimits, isOverLimits, rank } from "./candidates.ts";
import type { Choice, Chooser, ChoiceQuestion, ChosenBy } from "./choice.ts";
import { type Deployment, isPassThrough } from "./deployment.ts";
import type { Leg } from "./leg.ts";
import { rateLimitError } from "./limits-error.ts";
import { type Checked, type CountTokens, checkDeployments, estimateTokens } from "./pre-call-checks.ts";
import { filterByTags, tagError } from "./tags.ts";

export interface ChooserInit {
  readonly store: Pick<RoutingStore, "read" | "cooldowns" | "bound" | "bind">;
  /** From 0 to less than 1. */
  readonly random: () => number;
  /** ms since 1970 */
  readonly wallClock: () => number;
  /** Results of checks; undefined where there are none. */
  readonly health?: { isUnhealthy(deploymentId: string): boolean } | undefined;
  /** Default: an estimate from the size of the request. */
  readonly countTokens?: CountTokens;
}

export function createChooser(init: ChooserInit): Chooser {
  const { store } = init;
  return {
    choose(question) {
      const { exchange, leg } = question;
      const [only, ...more] = leg.deployments;
      if (only === undefined) throw new Error("a leg without deployments");
      if (more.length === 0 && isPlain(exchange, leg, only)) {
        if (leg.by === "deployment id" || isPassThrough(only)) return chosen(leg, only, "only", 0);
        return andThen(store.cooldowns(cooldownKeys(only)), ([own, account]) =>
          chosen(leg, only, own === undefined && account === undefined ? "only" : "panic", 0),
        );
      }
      return andThen(screen(question, init), (checked) =>
        checked.type === "none" ? checked : chooseOf(checked.deployments, question, init),
      );
    },

    bind(exchange, target) {
      const key = keyToBind(exchange, target);
      return key === undefined
        ? undefined
        : store.bind(key, target.deployment.deploymentId, exchange.snapshot.config.router.affinity.ttlMs);
    },
  };
}

/** Whether there is nothing to decide about the only deployment of a leg. */
function isPlain({ snapshot: { config, strategy } }: Exchange, { by }: Leg, deployment: Deployment): boolean {
  if (by === "deployment id") return true;
  const { tags, preCallChecks, enforceLimits } = config.router;
  return !tags.enabled && !preCallChecks && ((!enforceLimits && strategy.usesState === false) || !hasLimits(deployment));
}

/** Those that can and may do it, whatever state they are in. */
function screen({ exchange, leg }: ChoiceQuestion, { countTokens = estimateTokens }: ChooserInit): Awaitable<Checked> {
  const { preCallChecks, tags } = exchange.snapshot.config.router;
  const { deployments, group } = leg;
  // Whoever names a deployment gets it.
  if (leg.by === "deployment id") return { type: "left", deployments };
  const checked: Awaitable<Checked> = preCallChecks
    ? checkDeployments(exchange, group, deployments, countTokens)
    : { type: "left", deployments };
  if (!tags.enabled) return checked;
  return andThen(checked, (found): Checked => {
    if (found.type === "none") return found;
    const requested = exchange.options.tags;
    const allowed = filterByTags(found.deployments, requested, tags.matchAny);
    return allowed.length === 0 ? { type: "none", error: tagError(group, requested) } : { type: "left", deployments: allowed };
  });
}

/** What is known of the deployments right now, in their order. */
interface Known {
  readonly cooldowns: readonly (Cooldown | undefined)[];
  readonly states: readonly DeploymentState[] | undefined;
  readonly bound: string | undefined;
}

function chooseOf(deployments: readonly Deployment[], question: ChoiceQuestion, init: ChooserInit): Awaitable<Choice> {
  return andThen(lookUp(deployments, question, init), (known) => decide(deployments, known, question, init));
}

function lookUp(deployments: readonly Deployment[], { exchange, leg }: ChoiceQuestion, { store }: ChooserInit): Awaitable<Known> {
  const { config, strategy } = exchange.snapshot;
  const key = affinityKey(exchange, leg.group);
  const { preCallChecks, enforceLimits } = config.router;
  const isLimited = (preCallChecks || enforceLimits || key !== undefined) && deployments.some(hasLimits);
  const cooldowns = store.cooldowns(deployments.flatMap(cooldownKeys));
  const states = strategy.usesState !== false || isLimited ? store.read(deployments.map(({ deploymentId }) => deploymentId)) : undefined;
  const bound = key === undefined ? undefined : store.bound(key);
  return andThen(cooldowns, (pairs) =>
    andThen(states, (read) => andThen(bound, (id) => ({ cooldowns: longer(pairs), states: read, bound: id }))),
  );
}

function cooldownKeys({ deploymentId, account }: Deployment): readonly [string, string] {
  return [`deployment:${deploymentId}`, `account:${account}`];
}

/** Of each deployment and its account the one that counts. */
function longer(pairs: readonly (Cooldown | undefined)[]): readonly (Cooldown | undefined)[] {
  return pairs.flatMap((own, index) => {
    if (index % 2 === 1) return [];
    const account = pairs[index + 1];
    return [(account?.ms ?? 0) > (own?.ms ?? 0) ? account : own];
  });
}

interface Standing {
  readonly candidate: DeploymentCandidate;
  readonly cooldown: Cooldown | undefined;
}

function decide(deployments: readonly Deployment[], known: Known, question: ChoiceQuestion, init: ChooserInit): Awaitable<Choice> {
  const { exchange, leg, tried } = question;
  const { health, preCallChecks, enforceLimits } = exchange.snapshot.config.router;
  const inputTokens = estimateTokens(exchange);
  const standings = deployments.map((deployment, index): Standing => ({
    candidate: new DeploymentCandidate(deployment, { group: leg.group, state: known.states?.[index], inputTokens }),
    cooldown: known.cooldowns[index],
  }));
  const healthy = health.routing
    ? standings.filter(({ candidate }) => init.health?.isUnhealthy(candidate.deploymentId) !== true)
    : standings;
  const sound = healthy.length === 0 ? standings : healthy;
  const inUse = sound.filter(({ cooldown }) => cooldown === undefined);
  const isPanic = inUse.length === 0;
  const isFree = ({ candidate }: Standing): boolean => !isOverLimits(candidate);
  const free =
    (preCallChecks || enforceLimits) && leg.by !== "deployment id" ? (isPanic ? sound : inUse).filter(isFree) : isPanic ? sound : inUse;
  if (free.length === 0)
    return {
      type: "none",
      error: rateLimitError(
        (isPanic ? sound : inUse).map(({ candidate }) => candidate),
        init.wallClock(),
      ),
    };
  if (isPanic) return panic(free, question);
  const candidates = free.map(({ candidate }) => candidate);
  const ranks = rank(candidates, tried);
  const bound = ranks[0]?.find(({ deploymentId }) => deploymentId === known.bound);
  const untried = candidates.filter(({ deploymentId }) => !tried.has(deploymentId));
  const choose = (candidate: DeploymentCandidate, by: ChosenBy): Choice =>
    chosen(leg, candidate.deployment, by, untried.filter((each) => each !== candidate).length);
  if (bound !== undefined && !isOverLimits(bound)) return choose(bound, candidates.length === 1 ? "only" : "affinity");
  const request = { stream: exchange.facts.stream, inputTokens, random: init.random };
  return andThen(ask(exchange.snapshot.strategy, ranks, request), (candidate) =>
    candidate === undefined
      ? { type: "none", error: rateLimitError(candidates, init.wallClock()) }
      : choose(candidate, candidates.length === 1 ? "only" : "strategy"),
  );
}

/** Somebody has to be asked: of those that have not failed yet the one that is out of use for the shortest time. */
function panic(standings: readonly Standing[], { leg, tried }: ChoiceQuestion): Choice {
  const left = ({ candidate, cooldown }: Standing): readonly [number, number] => [
    tried.get(candidate.deploymentId) ?? 0,
    cooldown?.ms ?? 0,
  ];
  const [first] = standings.toSorted((one, other) => {
    const [[triedOne, msOne], [triedOther, msOther]] = [left(one), left(other)];
    return triedOne - triedOther || msOne - msOther;
  });
  if (first === undefined) throw new Error("nobody is left to be asked");
  return chosen(leg, first.candidate.deployment, "panic", 0);
}

/** Those of a later rank only where each of an earlier one is over its limits. */
function ask(
  strategy: Strategy,
  ranks: readonly (readonly DeploymentCandidate[])[],
  request: Parameters<Strategy["choose"]>[1],
): Awaitable<DeploymentCandidate | undefined> {
  const [first, ...later] = ranks;
  if (first === undefined) return undefined;
  const [only, ...more] = first;
  if (more.length === 0 && strategy.usesState === false) return only;
  return andThen(strategy.choose(first, request), (choice) => {
    if (choice === undefined) return ask(strategy, later, request);
    const found = first.find(({ deploymentId }) => deploymentId === choice.deploymentId);
    if (found === undefined) throw new Error(`the strategy chose "${choice.deploymentId}", which is no candidate`);
    return found;
  });
}

function chosen({ group }: Leg, deployment: Deployment, by: ChosenBy, others: number): Choice {
  return { type: "target", target: { group, deployment, model: deployment.model }, by, others };
}
