/** Asks one deployment how it is, with the smallest request there is, on the way that all requests take: no hooks, no retries, no record. */

import { ProxyError } from "../../sdk/errors.ts";
import { createRequestBody } from "../body/request-body.ts";
import { Exchange } from "../exchange.ts";
import { withModel } from "../routing/deployment.ts";
import type { Deployment } from "../routing/deployment.ts";
import { findProvider } from "../routing/find-provider.ts";
import type { Snapshot } from "../snapshot.ts";
import { type CallServices, callUpstream } from "../stages/call.ts";
import type { Finding } from "./finding.ts";
import { foundWithoutAsking } from "./reason-not-to-ask.ts";

export interface CheckServices extends CallServices {
  snapshot(): Snapshot;
  /** Monotonic ms. */
  readonly now: () => number;
}

/** @param signal ends the check; what it finds then is unknown */
export type Check = (deployment: Deployment, signal: AbortSignal) => Promise<Finding>;

/** As LiteLLM waits. */
const defaultTimeoutMs = 60_000;
/** More than the answer to such a request can have. */
const maxReplyBytes = 1024 * 1024;

/** @param services read at each check: they may hold what is made of this one */
export function createCheck(services: () => CheckServices): Check {
  return (deployment, signal) => check(deployment, signal, services());
}

async function check(deployment: Deployment, signal: AbortSignal, services: CheckServices): Promise<Finding> {
  const snapshot = services.snapshot();
  const found = foundWithoutAsking(deployment, services.tokenSources(snapshot.config));
  if (found !== undefined) return found;
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
    return await ask(exchange, services);
  } catch (error) {
    if (signal.aborted) return { state: "unknown", reason: "the check was broken off" };
    if (timeout.aborted) return { state: "unhealthy", status: 408, error: `no answer within ${timeoutMs / 1000} s` };
    return readFailure(error);
  } finally {
    both.removeEventListener("abort", onAbort);
    exchange.settle({ outcome: "completed", status: 200, summary: undefined, firstByteMs: undefined, totalMs: 0, error: undefined });
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
  exchange.target = { group: model, deployment, model };
  return exchange;
}

/** @throws what stands in the way of an answer */
async function ask(exchange: Exchange, services: CheckServices): Promise<Finding> {
  const { status, body } = await callUpstream(exchange, services);
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of body) {
    length += chunk.length;
    if (length <= maxReplyBytes) chunks.push(chunk);
  }
  return status < 400 ? { state: "healthy" } : refusal(status, messageOf(Buffer.concat(chunks).toString("utf8")) ?? `answered ${status}`);
}

function readFailure(error: unknown): Finding {
  if (error instanceof ProxyError) return refusal(error.status, error.message);
  return { state: "unhealthy", status: undefined, error: error instanceof Error ? error.message : String(error) };
}

/** One that finds fault with the few tokens it was granted has understood, and would answer more. */
function refusal(status: number, error: string): Finding {
  if (status === 400 && /max_(completion_|output_)?tokens|output limit/.test(error)) return { state: "healthy" };
  return { state: "unhealthy", status, error };
}

function messageOf(text: string): string | undefined {
  try {
    const value: unknown = JSON.parse(text);
    const error = typeof value === "object" && value !== null && "error" in value ? value.error : undefined;
    return typeof error === "object" && error !== null && "message" in error && typeof error.message === "string"
      ? error.message
      : undefined;
  } catch {
    return undefined;
  }
}

/** `health_check_model` may be written with its provider, as LiteLLM has it. */
function modelId(written: string, { registry }: CheckServices): string {
  return findProvider({ model: written }, registry.providers).model;
}
