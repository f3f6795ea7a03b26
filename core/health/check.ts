/** Asks one deployment how it is, with the smallest request there is, on the way that all requests take: no hooks, no retries, no record. */

import { type AskServices, ask } from "../attempts/ask.ts";
import { classifyThrown } from "../attempts/classify.ts";
import type { Failure } from "../attempts/failure.ts";
import { createRequestBody } from "../body/request-body.ts";
import { Exchange } from "../exchange.ts";
import { type Deployment, withModel } from "../routing/deployment.ts";
import type { PlannedTarget } from "../routing/leg.ts";
import { findProvider } from "../routing/find-provider.ts";
import type { Snapshot } from "../snapshot.ts";
import type { Finding } from "./finding.ts";
import { foundWithoutAsking } from "./reason-not-to-ask.ts";

export interface CheckServices extends AskServices {
  snapshot(): Snapshot;
  /** Monotonic ms. */
  readonly now: () => number;
}

export interface CheckResult {
  readonly finding: Finding;
  /** Of the attempt, where one was made and came to nothing. */
  readonly failure: Failure | undefined;
}

/** @param signal ends the check; what it finds then is unknown */
export type Check = (deployment: Deployment, signal: AbortSignal) => Promise<CheckResult>;

/** As LiteLLM waits. */
const defaultTimeoutMs = 60_000;
/** As LiteLLM has it, whoever it was that ran out of patience. */
const timedOut = 408;
/** More than the answer to such a request can have. */
const maxReplyBytes = 1024 * 1024;

/** @param services read at each check: they may hold what is made of this one */
export function createCheck(services: () => CheckServices): Check {
  return (deployment, signal) => check(deployment, signal, services());
}

async function check(deployment: Deployment, signal: AbortSignal, services: CheckServices): Promise<CheckResult> {
  const snapshot = services.snapshot();
  const found = foundWithoutAsking(deployment, services.tokenSources(snapshot.config));
  if (found !== undefined) return without(found);
  const { health } = deployment.routing;
  const asked = health.model === undefined ? deployment : withModel(deployment, modelId(health.model, services));
  const timeoutMs = health.timeoutMs ?? defaultTimeoutMs;
  const timeout = AbortSignal.timeout(timeoutMs);
  const exchange = createExchange(asked, services, snapshot);
  const onAbort = (): void => exchange.abort(new Error("the check is over"));
  const both = AbortSignal.any([signal, timeout]);
  both.addEventListener("abort", onAbort, { once: true });
  try {
    both.throwIfAborted();
    return await askFor(exchange, { group: asked.model, deployment: asked, model: asked.model }, services);
  } catch (error) {
    if (signal.aborted) return without({ state: "unknown", reason: "the check was broken off" });
    if (timeout.aborted) return without({ state: "unhealthy", status: timedOut, error: `no answer within ${timeoutMs / 1000} s` });
    const failure = classifyThrown(error, services.wallClock());
    if (failure === undefined) throw error;
    return refused(failure);
  } finally {
    both.removeEventListener("abort", onAbort);
    exchange.settle({
      outcome: "completed",
      status: 200,
      summary: undefined,
      bytes: 0,
      firstByteMs: undefined,
      totalMs: 0,
      error: undefined,
    });
  }
}

/** Of the proxy's own making: nobody's credentials, and for no user code to see. */
function createExchange(deployment: Deployment, services: CheckServices, snapshot: Snapshot): Exchange {
  const exchange = new Exchange({
    snapshot,
    ingress: services.registry.hub,
    operation: "generate",
    path: "/v1/messages",
    search: "",
    headers: { endToEnd: [], get: () => undefined },
    project: undefined,
    now: services.now,
    parent: "health check",
  });
  const { model, routing } = deployment;
  const request = { model, max_tokens: routing.health.maxTokens ?? 1, messages: [{ role: "user", content: "hi" }] };
  exchange.receive(createRequestBody(Buffer.from(JSON.stringify(request))));
  return exchange;
}

/** @throws what stands in the way of an answer */
async function askFor(exchange: Exchange, target: PlannedTarget, services: CheckServices): Promise<CheckResult> {
  const asked = await ask(exchange, services, { target, body: undefined, reason: "check", account: undefined, signal: exchange.signal });
  if (asked.type === "refused") return refused(asked.failure);
  let length = 0;
  for await (const chunk of asked.reply.body) {
    length += chunk.length;
    if (length > maxReplyBytes) break;
  }
  return without({ state: "healthy" });
}

/** One that finds fault with the few tokens it was granted has understood, and would answer more. */
function refused(failure: Failure): CheckResult {
  const { class: type, status, error } = failure;
  if (type === "bad-request" && /max_(completion_|output_)?tokens|output limit/.test(error.message)) return without({ state: "healthy" });
  const known = type === "connection" ? undefined : type === "timeout" ? timedOut : status;
  return { finding: { state: "unhealthy", status: known, error: error.message }, failure };
}

function without(finding: Finding): CheckResult {
  return { finding, failure: undefined };
}

/** `health_check_model` may be written with its provider, as LiteLLM has it. */
function modelId(written: string, { registry }: CheckServices): string {
  return findProvider({ model: written }, registry.providers).model;
}
