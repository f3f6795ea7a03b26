/**
 * Chooses which deployment of a group is asked: what cannot do it, is not allowed, is unhealthy, out of use or over its limits
 * is left out; of the others those with the lowest `order`; of these the one the session is bound to, else the strategy's choice.
 */

import type { Awaitable, Cooldown, RoutingStore } from "../../sdk/routing-store.ts";
import type { Exchange } from "../exchange.ts";
import { affinityKey, keyToBind } from "./affinity.ts";
import { andThen } from "./awaitable.ts";
import { hasLimits } from "./candidates.ts";
import type { Choice, Chooser, ChoiceQuestion } from "./choice.ts";
import { type DecideServices, type Known, chosen, decide } from "./decide.ts";
import { type Deployment, isPassThrough } from "./deployment.ts";
import { type CountTokens, estimateTokens, holdsMedia, tokensOf } from "./estimate-tokens.ts";
import type { Leg } from "./leg.ts";
import { type Checked, type LeftOut, checkDeployments } from "./pre-call-checks.ts";
import { filterByTags, tagError } from "./tags.ts";

export interface ChooserInit extends DecideServices {
  readonly store: Pick<RoutingStore, "read" | "cooldowns" | "bound" | "bind">;
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
      if (more.length === 0 && isPlain(exchange, leg, only)) return chooseOnly(only, leg, store);
      const leftOut: LeftOut = new Map();
      return andThen(screen(question, init, leftOut), (checked) => {
        if (checked.type === "none") return checked;
        return andThen(lookUp(checked.deployments, question, init), (known) => {
          const choice = decide(checked.deployments, known, question, init, leftOut);
          if (leftOut.size > 0) exchange.trace.add("router", "left out", Object.fromEntries(leftOut));
          return choice;
        });
      });
    },

    bind(exchange, target) {
      const key = keyToBind(exchange, target);
      if (key === undefined) return undefined;
      return store.bind(key, target.deployment.deploymentId, exchange.snapshot.config.router.affinity.ttlMs);
    },
  };
}

/** Whether there is nothing to decide about the only deployment of a leg. */
function isPlain({ snapshot: { config, strategy } }: Exchange, { by }: Leg, deployment: Deployment): boolean {
  if (by === "deployment id") return true;
  const { tags, preCallChecks, enforceLimits } = config.router;
  return !tags.enabled && !preCallChecks && ((!enforceLimits && strategy.usesState === false) || !hasLimits(deployment));
}

/** What is asked for by its id, or under a vendor's own name, is asked whatever its state. */
function chooseOnly(only: Deployment, leg: Leg, store: ChooserInit["store"]): Awaitable<Choice> {
  if (leg.by === "deployment id" || isPassThrough(only)) return chosen(leg, only, "only", 0);
  return andThen(store.cooldowns(cooldownKeys(only)), ([own, account]) =>
    chosen(leg, only, own === undefined && account === undefined ? "only" : "panic", 0),
  );
}

/** Those that can and may do it, whatever their state. */
function screen({ exchange, leg }: ChoiceQuestion, { countTokens: count }: ChooserInit, leftOut: LeftOut): Awaitable<Checked> {
  const { preCallChecks, tags } = exchange.snapshot.config.router;
  const { deployments, group } = leg;
  const all: Checked = { type: "left", deployments };
  // Whoever names an entry gets it.
  if (leg.by === "deployment id") return all;
  const checked = preCallChecks ? checkDeployments(deployments, { exchange, group, count, leftOut }) : all;
  if (!tags.enabled) return checked;
  return andThen(checked, (found): Checked => {
    if (found.type === "none") return found;
    const requested = exchange.options.tags;
    const allowed = filterByTags(found.deployments, requested, tags.matchAny);
    if (allowed.length === 0) return { type: "none", error: tagError(group, requested) };
    for (const deployment of found.deployments)
      if (!allowed.includes(deployment)) leftOut.set(deployment.deploymentId, "its tags do not match");
    return { type: "left", deployments: allowed };
  });
}

/** All at once, for a store that is elsewhere. */
function lookUp(
  deployments: readonly Deployment[],
  { exchange, leg }: ChoiceQuestion,
  { store, countTokens }: ChooserInit,
): Awaitable<Known> {
  const { config, strategy } = exchange.snapshot;
  const { preCallChecks, enforceLimits } = config.router;
  const key = affinityKey(exchange, leg.group);
  const usesState = strategy.usesState !== false;
  const readsLimits = (preCallChecks || enforceLimits || key !== undefined) && deployments.some(hasLimits);
  const cooldowns = store.cooldowns(deployments.flatMap(cooldownKeys));
  const states = usesState || readsLimits ? store.read(deployments.map(({ deploymentId }) => deploymentId)) : undefined;
  const bound = key === undefined ? undefined : store.bound(key);
  const tokens = usesState ? tokensFor(exchange, deployments, countTokens) : estimateTokens(exchange);
  return join(cooldowns, states, bound, tokens, (pairs, read, id, inputTokens) => ({
    cooldowns: longer(pairs),
    states: read,
    bound: id,
    inputTokens,
  }));
}

/** Where tokens are limited, a picture must not count for what its bytes would be as text. */
function tokensFor(exchange: Exchange, deployments: readonly Deployment[], count: CountTokens | undefined): Awaitable<number> {
  const estimate = estimateTokens(exchange);
  const isLimited = deployments.some(({ routing: { tpm } }) => tpm !== undefined && estimate > tpm / 2);
  if (!isLimited || exchange.operation === "embeddings" || !holdsMedia(exchange)) return estimate;
  return andThen(tokensOf(exchange, count), (tokens) => tokens ?? estimate);
}

function join<A, B, C, D, Result>(
  a: Awaitable<A>,
  b: Awaitable<B>,
  c: Awaitable<C>,
  d: Awaitable<D>,
  use: (a: A, b: B, c: C, d: D) => Result,
): Awaitable<Result> {
  return andThen(a, (first) => andThen(b, (second) => andThen(c, (third) => andThen(d, (fourth) => use(first, second, third, fourth)))));
}

/** Of one and the same deployment the same texts, for those are compared at a glance. */
const keys = new WeakMap<Deployment, readonly [string, string]>();

function cooldownKeys(deployment: Deployment): readonly [string, string] {
  const known = keys.get(deployment);
  if (known !== undefined) return known;
  const made = [`deployment:${deployment.deploymentId}`, `account:${deployment.account}`] as const;
  keys.set(deployment, made);
  return made;
}

/** Of each deployment and its account the one that counts. */
function longer(pairs: readonly (Cooldown | undefined)[]): Known["cooldowns"] {
  return pairs.flatMap((own, index) => {
    if (index % 2 === 1) return [];
    const account = pairs[index + 1];
    return [(account?.ms ?? 0) > (own?.ms ?? 0) ? account : own];
  });
}
