/** Asks the deployments of one group, one after the other, until one answers or nothing more is to be gained there. */

import type { RequestBody } from "../../sdk/body.ts";
import { ProxyError } from "../../sdk/errors.ts";
import type { AttemptReason, Exchange } from "../exchange.ts";
import type { Choice, Chooser } from "../routing/choice.ts";
import type { Deployment } from "../routing/deployment.ts";
import type { Leg } from "../routing/leg.ts";
import type { AttemptResult, AttemptServices } from "./attempt.ts";
import { classifyInBand } from "./classify.ts";
import type { Failure } from "./failure.ts";
import { type Retries, nextStep, retriesAllowed } from "./next-step.ts";
import { originOf } from "./origin.ts";
import { overriddenRequest } from "./overridden.ts";
import { runTurn } from "./turn.ts";
import { wait } from "./wait.ts";

export interface LegServices extends AttemptServices {
  readonly chooser: Chooser;
}

/** What one request has learned so far, over all groups it was tried in. */
export interface Journey {
  /** Upstreams that have failed for it. */
  readonly failedOrigins: Set<string>;
  /** Groups that were asked, see `fallbackKey`. */
  readonly visited: Set<string>;
  /** Whether a retry was not made because too many others are under way. */
  budgetSpent: boolean;
}

export interface LegOptions {
  readonly leg: Leg;
  readonly journey: Journey;
  readonly isFallback: boolean;
  /** Whether another group can be asked after this one. */
  readonly hasMore: boolean;
  /** Whether the group is passed over if all of it is out of use: it can be asked when nobody else has helped. */
  readonly mayPassOver: boolean;
}

/** One group at work. */
export interface Round extends LegOptions {
  /** Deployments that have failed, with how often. */
  readonly tried: Map<string, number>;
  /** In place of the exchange's own: a request of the hub. */
  readonly body: RequestBody | undefined;
}

export type LegResult =
  | Extract<AttemptResult, { readonly type: "reply" }>
  | { readonly type: "failed"; readonly failure: Failure }
  | { readonly type: "passed over" };

/** @throws what no other attempt could mend */
export async function tryLeg(exchange: Exchange, services: LegServices, options: LegOptions): Promise<LegResult> {
  const { leg, isFallback } = options;
  const round: Round = { ...options, tried: new Map(), body: overriddenRequest(exchange, leg.overrides) };
  let reason: AttemptReason = isFallback ? "fallback" : "first";
  let choice = (isFallback ? undefined : exchange.choice) ?? (await services.chooser.choose({ exchange, leg, tried: round.tried }));
  if (choice.type === "none") return { type: "failed", failure: classifyInBand(choice.error, services.wallClock()) };
  if (choice.by === "panic" && options.mayPassOver) return { type: "passed over" };
  for (let made = 1; ; made++) {
    const { deployment } = choice.target;
    const isHeld = options.hasMore || made <= retriesOf(exchange, round, deployment, anyFailure).count;
    const result = await runTurn(exchange, services, { round, choice, reason, isHeld });
    if (result.type === "reply") return result;
    const next = await services.chooser.choose({ exchange, leg, tried: round.tried });
    const delayMs = decide(exchange, services, round, { failure: result.failure, deployment, made, next });
    // The upstream's own words are worth more than that nobody is left.
    if (delayMs === undefined || next.type === "none") return result;
    if (delayMs > 0) await wait(delayMs, exchange.signal);
    choice = next;
    reason = "retry";
    exchange.retries++;
  }
}

interface Standing {
  readonly failure: Failure;
  /** That failed. */
  readonly deployment: Deployment;
  /** Attempts, in this group. */
  readonly made: number;
  /** Who would be asked next. */
  readonly next: Choice;
}

/** @returns ms to wait before `next` is asked; undefined: it is not */
function decide(
  exchange: Exchange,
  services: LegServices,
  round: Round,
  { failure, deployment, made, next }: Standing,
): number | undefined {
  if (next.type === "none") return undefined;
  const { tried, journey, hasMore } = round;
  const { deploymentId } = next.target.deployment;
  const origin = originOf(next.target.deployment);
  const times = tried.get(deploymentId) ?? 0;
  const step = nextStep({
    failure,
    attempts: made,
    retries: retriesOf(exchange, round, deployment, failure),
    // The one that would be asked is among those that have not been tried.
    others: times === 0 ? 1 + next.others : 0,
    times: Math.max(1, times),
    isPanic: next.by === "panic",
    budget: { mayRetry: !journey.failedOrigins.has(origin) || services.budgets.mayRetry(origin) },
    hasFallbacks: hasMore,
    clientRetries: Number(exchange.headers.get("x-stainless-retry-count") ?? 0) || 0,
    minDelayMs: exchange.snapshot.config.router.retries.minDelayMs,
    random: services.random,
  });
  exchange.trace.add("call", step.type, { deployment: deploymentId, ...step });
  if (step.type === "switch") return 0;
  if (step.type === "retry") return step.delayMs;
  journey.budgetSpent ||= step.because === "too many retries are under way";
  return undefined;
}

function retriesOf({ snapshot, options, leg }: Exchange, round: Round, deployment: Deployment, failure: Failure): Retries {
  return retriesAllowed({
    failure,
    group: round.leg.group,
    config: snapshot.config.router.retries,
    options,
    ofDeployment: deployment.routing.retries,
    isPassThrough: leg?.by === "pass-through",
  });
}

/** One that another attempt may mend. */
const anyFailure = classifyInBand(new ProxyError("", { status: 500, kind: "api_error" }));
