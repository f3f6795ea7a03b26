/**
 * Who is taken out of use after a failure, and for how long. LiteLLM's decision, and what it lacks: limits by their
 * scope, failures in a row, and longer cooldowns for those that fail again and again.
 */

import type { AttemptEnd, Cooldown, DeploymentState } from "../../sdk/routing-store.ts";
import type { CooldownConfig } from "../config/router-types.ts";
import { type Deployment, hasCredentialHeader, isPassThrough } from "../routing/deployment.ts";
import { policyClassOf } from "./classify.ts";
import type { Failure, FailureClass } from "./failure.ts";
import type { Limits } from "./limits.ts";

export interface CooldownFacts {
  readonly deployment: Deployment;
  readonly config: CooldownConfig;
  /** Deployments of the group. */
  readonly groupSize: number;
  /** The entry's name holds a star: what one model of it meets says little of the others. */
  readonly isWildcard: boolean;
  /** With this failure in it. */
  readonly state: Pick<DeploymentState, "successes" | "failures">;
  /** Within one cooldown's time, this one included. */
  readonly fails: number;
  /** Since the last success, this one included. */
  readonly failsInARow: number;
}

export interface CoolOrder {
  /** Of the store: `deployment:<id>` or `account:<account>`. */
  readonly key: string;
  readonly cooldown: Cooldown;
  /** Each further one soon after is longer: see {@link grownMs}. */
  readonly grows: boolean;
}

/** How an attempt that failed goes into the books. */
export function outcomeOf({ scope }: Failure): AttemptEnd["outcome"] {
  return scope === "none" ? "none" : "failure";
}

/** Empty where everything stays in use. */
export function cooldownOrders(failure: Failure, facts: CooldownFacts): readonly CoolOrder[] {
  const { deployment, config } = facts;
  if (!config.enabled || failure.scope === "none" || isPassThrough(deployment)) return [];
  if (isNeverCooled(failure)) return [];
  const isAccount = failure.scope === "account" && hasAccount(deployment);
  // Of a key that is used up every model is, whatever its entry is called.
  if (facts.isWildcard && !isAccount) return [];
  const reason = reasonToCool(failure, facts);
  if (reason === undefined) return [];
  const length = lengthOf(failure, facts);
  if (length.ms <= 0) return [];
  const key = isAccount ? accountKey(deployment) : deploymentKey(deployment);
  return [{ key, cooldown: { ms: length.ms, reason, status: statusOf(failure) }, grows: length.isOurs && troubles.has(failure.class) }];
}

/** What a reply that was a success says of those that come after. */
export function exhaustionOrders(
  limits: Limits,
  { deployment, config, isWildcard }: Pick<CooldownFacts, "deployment" | "config" | "isWildcard">,
): readonly CoolOrder[] {
  if (!config.enabled || isPassThrough(deployment)) return [];
  const isAccount = limits.scope !== "deployment" && hasAccount(deployment);
  if (isWildcard && !isAccount) return [];
  const ms = deployment.routing.cooldownMs ?? longer(limits.resetMs, limits.retryAfterMs) ?? config.ms;
  if (ms <= 0) return [];
  const key = isAccount ? accountKey(deployment) : deploymentKey(deployment);
  return [{ key, cooldown: { ms, reason: "the plan is used up", status: 200 }, grows: false }];
}

/**
 * As Envoy does: the n-th time out of use is n times as long, up to five minutes, with a tenth more or less at random so
 * that several do not come back at once.
 *
 * @param times how often it was taken out of use of late, this time included @param random from 0 to less than 1
 */
export function grownMs(ms: number, times: number, random: number): number {
  return Math.round(Math.min(ms * Math.max(1, times), Math.max(ms, longestGrownMs)) * (0.9 + 0.2 * random));
}

const longestGrownMs = 300_000;

/** After so long, times out of use are forgotten. */
export const ejectionMemoryMs = 600_000;

/** How long failures are counted that are held against `allowed_fails`. */
export function failWindowMs({ ms }: CooldownConfig): number {
  return Math.max(1000, ms);
}

function deploymentKey({ deploymentId }: Pick<Deployment, "deploymentId">): string {
  return `deployment:${deploymentId}`;
}

function accountKey({ account }: Pick<Deployment, "account">): string {
  return `account:${account}`;
}

/** Whether the name of the account tells it apart: those that sign, or bring their credential in a header, have one name for all. */
function hasAccount(deployment: Deployment): boolean {
  return deployment.apiKey !== undefined || (deployment.provider?.sign === undefined && !hasCredentialHeader(deployment));
}

/** What says nothing of the deployment's health. As LiteLLM has it, 403 is about what was asked, not about who. */
function isNeverCooled({ class: type }: Failure): boolean {
  return type === "permission" || type === "bad-request" || type === "context-window" || type === "content-policy" || type === "too-large";
}

/** Failures that say an upstream is in trouble. */
const troubles: ReadonlySet<FailureClass> = new Set<FailureClass>(["overloaded", "server", "timeout", "connection", "broken"]);

/** In words; undefined: it stays in use. */
function reasonToCool(failure: Failure, facts: CooldownFacts): string | undefined {
  const { groupSize, fails, failsInARow, config } = facts;
  const what = told(failure);
  // It would be refused until then, by whomever it is asked.
  if (failure.class === "exhausted") return what;
  const limit = limitOf(failure, config);
  if (limit !== undefined) return fails > limit ? `${fails} failures, ${limit} allowed; the last: ${what}` : undefined;
  // Not what another attempt could mend, so that it counts even where there is nobody else.
  if (failure.class === "authentication" || failure.class === "not-found") return what;
  const share = shareOf(facts);
  if (share.failed === 1 && share.of >= soleThreshold) return `all of ${share.of} requests of this minute failed; the last: ${what}`;
  if (groupSize <= 1) return undefined;
  if (failure.class === "rate-limit") return what;
  if (share.failed > 0.5 && share.of >= fewestRequests) {
    return `${Math.round(share.failed * 100)} % of ${share.of} requests of this minute failed; the last: ${what}`;
  }
  return troubles.has(failure.class) && failsInARow >= mostInARow ? `${failsInARow} failures in a row; the last: ${what}` : undefined;
}

/** LiteLLM's SINGLE_DEPLOYMENT_TRAFFIC_FAILURE_THRESHOLD and DEFAULT_FAILURE_THRESHOLD_MINIMUM_REQUESTS. */
const soleThreshold = 1000;
const fewestRequests = 5;
const mostInARow = 3;

function shareOf({ state }: CooldownFacts): { readonly failed: number; readonly of: number } {
  const of = state.successes + state.failures;
  return { failed: of === 0 ? 0 : state.failures / of, of };
}

/** LiteLLM's own where only some classes are written down. */
const usualAllowedFails = 3;

/** Undefined where nothing is configured. */
function limitOf(failure: Failure, { allowedFails, policy }: CooldownConfig): number | undefined {
  const type = policyClassOf(failure);
  const own = type === undefined ? undefined : policy[type];
  return own ?? allowedFails ?? (Object.keys(policy).length === 0 ? undefined : usualAllowedFails);
}

interface Length {
  readonly ms: number;
  /** Neither the configuration of the deployment nor the upstream said it. */
  readonly isOurs: boolean;
}

function lengthOf(failure: Failure, { deployment, config }: CooldownFacts): Length {
  const { class: type, resetMs, retryAfterMs } = failure;
  const { cooldownMs } = deployment.routing;
  if (cooldownMs !== undefined) return { ms: cooldownMs, isOurs: false };
  // When a rate is whole again is later than when there is room in it.
  const saidMs = type === "exhausted" ? longer(resetMs, retryAfterMs) : (retryAfterMs ?? resetMs);
  return saidMs === undefined ? { ms: config.ms, isOurs: true } : { ms: saidMs, isOurs: false };
}

function longer(one: number | undefined, other: number | undefined): number | undefined {
  return one === undefined || other === undefined ? (one ?? other) : Math.max(one, other);
}

/** Undefined where no answer came. */
function statusOf({ class: type, status }: Failure): number | undefined {
  return type === "connection" || type === "timeout" ? undefined : status;
}

function told(failure: Failure): string {
  const status = statusOf(failure);
  return status === undefined ? failure.class : `${status} ${failure.class}`;
}
