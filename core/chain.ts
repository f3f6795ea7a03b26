/** The whole proxy on one page: the stages a request passes in this order, and its reply in the reverse one. */

import type { Middleware } from "koa";

import { collectBody } from "./body/collect.ts";
import { createRequestBody } from "./body/request-body.ts";
import { completeWhenSettled } from "./phases/complete-phase.ts";
import { withErrorHooks } from "./phases/error-phase.ts";
import { runReplyPhases } from "./phases/reply-phases.ts";
import type { Services } from "./services.ts";
import { cacheStage } from "./stages/cache.ts";
import { authPolicy, authenticateKeys } from "./stages/auth.ts";
import { readRequestOptions, withoutControls } from "./attempts/request-options.ts";
import { callUpstream } from "./attempts/run.ts";
import { type ClientRoute, createIngress } from "./stages/ingress.ts";
import { limit } from "./stages/limits.ts";
import { createLedger } from "./stages/ledger.ts";
import { decide } from "./stages/policy.ts";

/** gate (see app.ts) → ingress → ledger → auth → decode → reply (its hooks) → policy (hooks, rules, router) → limits → cache → call */
export function createChain(services: Services, route: ClientRoute): readonly Middleware[] {
  return [
    createIngress(services, route),
    createLedger(services),
    auth(services),
    decode(),
    reply(services),
    policy(services),
    limit(services),
    cacheStage(services),
    call(services),
  ];
}

function auth(services: Services): Middleware {
  return async function authStage(ctx, next) {
    const { exchange, run } = ctx.state;
    const asked = { path: ctx.path, address: ctx.req.socket.remoteAddress, now: services.wallClock() };
    const policy = { ...authPolicy(exchange.snapshot.config, services.localToken), keyRing: services.keyRing, asked };
    const caller = authenticateKeys(ctx.req, run, policy);
    exchange.caller = caller instanceof Promise ? await caller : caller;
    await next();
  };
}

/** Only now, so that nobody unknown can make the proxy hold a body. */
function decode(): Middleware {
  return async function decodeStage(ctx, next) {
    const { exchange } = ctx.state;
    const { maxBodyBytes } = exchange.snapshot.config.server;
    const bytes = await orAborted(collectBody(ctx.req, { maxBytes: maxBodyBytes }), exchange.signal);
    const body = createRequestBody(bytes);
    const { allowedCacheControls } = exchange.caller.holder?.key ?? {};
    exchange.options = readRequestOptions({ body, headers: exchange.headers }, exchange.dialect, allowedCacheControls);
    exchange.receive(withoutControls(body, exchange.options));
    if (exchange.snapshot.config.record) exchange.trace.received = exchange.request;
    exchange.trace.add("ingress", "received", {
      operation: exchange.operation,
      model: exchange.facts.model,
      bytes: exchange.received.body.bytes.length,
    });
    await next();
  };
}

/** A slow upload is no reason to wait when the proxy stops. */
function orAborted<Value>(value: Promise<Value>, signal: AbortSignal): Promise<Value> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason instanceof Error ? signal.reason : new Error("aborted"));
    signal.addEventListener("abort", onAbort, { once: true });
    value.then(resolve, reject).finally(() => signal.removeEventListener("abort", onAbort));
  });
}

/** Nothing on the way in: here hooks see errors, replies and the end. */
function reply(services: Services): Middleware {
  return async function replyStage(ctx, next) {
    const { exchange } = ctx.state;
    if (exchange.userProgram === undefined) {
      await next();
      return;
    }
    completeWhenSettled(exchange, services);
    exchange.reply = await withErrorHooks(exchange, services, async () => {
      await next();
      if (exchange.reply === undefined) throw new Error("no stage made a reply");
      return runReplyPhases(exchange, services, exchange.reply);
    });
  };
}

function policy(services: Services): Middleware {
  return async function policyStage(ctx, next) {
    const { exchange } = ctx.state;
    exchange.reply = await decide(exchange, services);
    if (exchange.reply === undefined) await next();
  };
}

function call(services: Services): Middleware {
  return async function callStage(ctx) {
    ctx.state.exchange.reply = await callUpstream(ctx.state.exchange, services);
  };
}
