/** What to do after a failed attempt: wait and ask again, ask another, or leave the group to its fallbacks. */

import type { RetryConfig } from "../config/router-types.ts";
import { backoffMs } from "./backoff.ts";
import { policyClassOf } from "./classify.ts";
import type { Failure, FailureClass } from "./failure.ts";
import type { RequestOptions } from "./request-options.ts";

/** Attempts after the first one within one group. */
export interface Retries {
  readonly count: number;
  /** Somebody wrote it down, in the configuration or in the request. */
  readonly isExplicit: boolean;
  /** It is meant for this very class of failures, whatever is otherwise asked again. */
  readonly isForClass: boolean;
}

export interface RetriesQuestion {
  readonly failure: Failure;
  readonly group: string;
  readonly config: RetryConfig;
  readonly options: Pick<RequestOptions, "retries">;
  /** Of the deployment that failed: its `num_retries`. */
  readonly ofDeployment: number | undefined;
  /** No entry of the configuration names the model. */
  readonly isPassThrough: boolean;
}

const usualRetries = 2;

/** As LiteLLM resolves it: a policy for the class of the failure, then the request, the deployment, the router. */
export function retriesAllowed({ failure, group, config, options, ofDeployment, isPassThrough }: RetriesQuestion): Retries {
  const asked = options.retries;
  // Who asks for none gets none; what passes through is nobody's but the caller's.
  if (asked !== 0 && !isPassThrough) {
    const type = policyClassOf(failure);
    const policy = config.groupPolicies.get(group) ?? config.policy;
    const count = type === undefined ? undefined : policy[type];
    if (count !== undefined) return { count, isExplicit: true, isForClass: true };
  }
  const written = asked ?? (isPassThrough ? 0 : (ofDeployment ?? config.count));
  return { count: written ?? usualRetries, isExplicit: written !== undefined, isForClass: false };
}

export interface StepQuestion {
  readonly failure: Failure;
  /** Made in this group so far; at least 1. */
  readonly attempts: number;
  readonly retries: Retries;
  /** Deployments of the group that have not been tried. */
  readonly others: number;
  /** How often the deployment that would be asked again was asked; at least 1. */
  readonly times: number;
  /** Whether the group's deployments are all out of use. */
  readonly isPanic: boolean;
  /** Of the upstream that would be asked next; one that has not failed for this request is never held back. */
  readonly budget: { readonly mayRetry: boolean };
  readonly hasFallbacks: boolean;
  /** The client's own, from `x-stainless-retry-count`. */
  readonly clientRetries: number;
  /** `retry_after`. */
  readonly minDelayMs: number;
  /** From 0 to less than 1. */
  readonly random: () => number;
}

/** Why nobody of the group is asked any more; for the trace. */
export type Because =
  | "the request is at fault"
  | "no other deployment could do better"
  | "no retries are left"
  | "too many retries are under way"
  | "the upstream says not to ask again"
  | "the upstream asks to wait too long"
  | "the client asks again by itself"
  | "all of the group are out of use";

export type Step =
  | { readonly type: "retry"; readonly delayMs: number }
  /** At once: a different one is never waited for. */
  | { readonly type: "switch" }
  /** To the fallbacks. */
  | { readonly type: "leave"; readonly because: Because }
  | { readonly type: "give-up"; readonly because: Because };

export function nextStep(question: StepQuestion): Step {
  const because = reasonToLeave(question);
  if (because !== undefined) return { type: question.hasFallbacks ? "leave" : "give-up", because };
  if (question.others > 0) return { type: "switch" };
  const delayMs = backoffMs({ ...question, isExplicit: question.retries.isExplicit });
  if (delayMs === undefined) return { type: question.hasFallbacks ? "leave" : "give-up", because: "the upstream asks to wait too long" };
  return { type: "retry", delayMs };
}

function reasonToLeave(question: StepQuestion): Because | undefined {
  const { failure, retries, attempts, others, budget, isPanic, hasFallbacks } = question;
  if (requestFaults.has(failure.class) && !retries.isForClass) return "the request is at fault";
  if (attempts > retries.count) return "no retries are left";
  if (isPanic && hasFallbacks) return "all of the group are out of use";
  if (!budget.mayRetry && spendsBudget(failure.class)) return "too many retries are under way";
  return others > 0 ? undefined : reasonNotToAskAgain(question);
}

/** Of the same deployment. */
function reasonNotToAskAgain({ failure, retries, clientRetries }: StepQuestion): Because | undefined {
  const { class: type, shouldRetry } = failure;
  if (shouldRetry === false) return "the upstream says not to ask again";
  if (retries.isForClass) return clientRetries > 0 ? "the client asks again by itself" : undefined;
  // The same key, model or plan gets the same answer.
  if (type === "authentication" || type === "permission" || type === "not-found" || type === "exhausted") {
    return shouldRetry === true && retries.isExplicit ? undefined : "no other deployment could do better";
  }
  if (type === "rate-limit" && !retries.isExplicit) return "no other deployment could do better";
  return clientRetries > 0 ? "the client asks again by itself" : undefined;
}

/** Any deployment would say so. */
const requestFaults: ReadonlySet<FailureClass> = new Set<FailureClass>(["bad-request", "context-window", "content-policy", "too-large"]);

/** Whether retries after it burden an upstream that is in trouble: a refusal of one key does not. */
export function spendsBudget(type: FailureClass): boolean {
  return type === "overloaded" || type === "server" || type === "timeout" || type === "connection" || type === "broken";
}

export interface TellQuestion {
  /** What the caller is told. */
  readonly failure: Failure;
  /** Made for the request, in all groups. */
  readonly retries: number;
  /** Whether one was not made because too many are under way. */
  readonly budgetSpent: boolean;
  readonly isPassThrough: boolean;
}

/** Whether the client is told to leave it at that, since what could be tried has been tried: its retries times ours are too many. */
export function shouldTellNotToRetry({ failure: { status }, retries, budgetSpent, isPassThrough }: TellQuestion): boolean {
  const isRetryable = status === 408 || status === 409 || status === 429 || status >= 500;
  return isRetryable && !isPassThrough && (retries > 0 || budgetSpent);
}
