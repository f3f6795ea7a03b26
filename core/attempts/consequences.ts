/** What follows from a failed attempt for those that come after: the books, and who is taken out of use for how long. */

import type { HeaderList } from "../../sdk/dialect.ts";
import type { Logger } from "../../sdk/log.ts";
import type { RoutingStore } from "../../sdk/routing-store.ts";
import type { Exchange } from "../exchange.ts";
import type { Health } from "../health/create-health.ts";
import type { Deployment } from "../routing/deployment.ts";
import type { Leg } from "../routing/leg.ts";
import type { BookedAttempt } from "./booking.ts";
import { type CoolOrder, cooldownOrders, ejectionMemoryMs, exhaustionOrders, failWindowMs, grownMs, outcomeOf } from "./cooldown.ts";
import type { Failure } from "./failure.ts";
import { exhaustedBySuccess } from "./limits.ts";
import { originOf } from "./origin.ts";
import type { RetryBudgets } from "./retry-budget.ts";
import type { CredentialOwner } from "./transmit.ts";

export interface ConsequenceServices {
  readonly store: RoutingStore;
  readonly budgets: RetryBudgets;
  readonly health: Pick<Health, "answered" | "failed">;
  readonly logger: Logger;
  /** From 0 to less than 1. */
  readonly random: () => number;
  /** ms since 1970 */
  readonly wallClock: () => number;
  readonly redact: (text: string) => string;
}

export interface FailedAttempt {
  readonly deployment: Deployment;
  readonly leg: Leg;
  readonly failure: Failure;
  readonly credential: CredentialOwner;
  readonly booked: BookedAttempt;
}

export async function takeConsequences(exchange: Exchange, services: ConsequenceServices, attempt: FailedAttempt): Promise<void> {
  const { deployment, leg, failure, credential, booked } = attempt;
  const { deploymentId } = deployment;
  const { store, budgets, health } = services;
  const outcome = outcomeOf(failure);
  // The slowest there is, so that those that are chosen by their speed are not chosen for failing to answer.
  const seconds = failure.class === "timeout" ? timeoutSeconds : undefined;
  if (!booked.end({ outcome, tokens: 0, latency: seconds, firstContent: seconds })) return;
  exchange.trace.add("call", "failed", {
    deployment: deploymentId,
    class: failure.class,
    status: failure.status,
    why: failure.error.message,
  });
  budgets.failed(originOf(deployment), failure);
  if (outcome === "none") return;
  if (credential === "shared") health.failed(deploymentId, failure.status, services.redact(failure.error.message));
  const config = exchange.snapshot.config.router.cooldown;
  const [states, fails, failsInARow] = await Promise.all([
    store.read([deploymentId]),
    store.fail(deploymentId, failWindowMs(config)),
    store.fail(rowOf(deploymentId), ejectionMemoryMs),
  ]);
  const state = states[0] ?? { successes: 0, failures: 1 };
  const facts = { deployment, config, groupSize: leg.deployments.length, isWildcard: leg.by === "wildcard", state, fails, failsInARow };
  await cool(exchange, services, cooldownOrders(failure, facts));
}

/** LiteLLM's penalty. */
const timeoutSeconds = 1000;

export async function takeSuccess({ store, budgets, health }: ConsequenceServices, deployment: Deployment): Promise<void> {
  budgets.succeeded(originOf(deployment));
  health.answered(deployment.deploymentId);
  await store.forgive(rowOf(deployment.deploymentId));
}

/** A reply that was paid for beyond the plan says that the plan is used up. */
export async function takeExhaustion(
  exchange: Exchange,
  services: ConsequenceServices,
  { deployment, leg, headers }: Pick<FailedAttempt, "deployment" | "leg"> & { readonly headers: HeaderList },
): Promise<void> {
  const limits = exhaustedBySuccess(headers, services.wallClock());
  if (limits === undefined) return;
  const config = exchange.snapshot.config.router.cooldown;
  await cool(exchange, services, exhaustionOrders(limits, { deployment, config, isWildcard: leg.by === "wildcard" }));
}

async function cool(exchange: Exchange, { store, logger, random }: ConsequenceServices, orders: readonly CoolOrder[]): Promise<void> {
  for (const { key, cooldown, grows } of orders) {
    const times = grows ? await store.fail(`ejected:${key}`, ejectionMemoryMs) : 1;
    const ms = grows ? grownMs(cooldown.ms, times, random()) : cooldown.ms;
    await store.cool(key, { ...cooldown, ms });
    exchange.trace.add("call", "out of use", { key, ms, reason: cooldown.reason });
    logger.warn({ requestId: exchange.id, key, seconds: Math.round(ms / 100) / 10, reason: cooldown.reason }, "out of use");
  }
}

/** Failures since the last success. */
function rowOf(deploymentId: string): string {
  return `${deploymentId} in a row`;
}
