/** A vendor's other endpoints (files, batches, …): relayed to the vendor as they come, with the caller's own login. */

import type { Middleware } from "koa";

import { ProxyError } from "../../sdk/errors.ts";
import type { Provider } from "../../sdk/provider.ts";
import { ClientGone } from "../body/collect.ts";
import { defaultTimeouts } from "../config/router-types.ts";
import type { Services } from "../services.ts";
import { authPolicy, authenticateKeys } from "../stages/auth.ts";
import { drain } from "../stream/drain.ts";
import { readRequestHeaders } from "../upstream/headers.ts";
import { send } from "../upstream/send.ts";

/** Never pinged: nothing is known of these streams. */
const noPing = { ping: new Uint8Array(), pingAfterMs: 2 ** 31 - 1 };

/** In which credentials travel to vendors whose endpoints are relayed. */
const ownHeaders: ReadonlySet<string> = new Set(["authorization", "x-api-key"]);

export function createPassThrough(services: Services): Middleware {
  return async function passThrough(ctx, next) {
    const provider = services.registry.providers.find((candidate) => candidate.passThrough?.matches(ctx.path));
    if (provider === undefined) {
      await next();
      return;
    }
    const asked = { path: ctx.path, address: ctx.req.socket.remoteAddress, now: services.wallClock() };
    const policy = { ...authPolicy(services.snapshot().config, services.localToken), keyRing: services.keyRing, asked };
    const caller = await authenticateKeys(ctx.req, ctx.state.run, policy);
    const credentials = caller.credentials.filter(
      ([name, value]) => ownHeaders.has(name) && provider.isCredential?.(value.replace(/^bearer /i, "").trim()) === true,
    );
    if (credentials.length === 0) {
      await next();
      return;
    }
    const abort = new AbortController();
    ctx.respond = false;
    ctx.res.on("error", () => undefined);
    ctx.res.once("close", () => {
      if (!ctx.res.writableFinished) abort.abort(new ClientGone("the client closed the connection"));
    });
    const startedAt = services.now();
    services.open.add(abort);
    try {
      const status = await relay(services, provider, { request: ctx, credentials, signal: abort.signal });
      services.logger.info(
        { path: ctx.path, method: ctx.method, relayedTo: provider.defaultApiBase, status, ms: Math.round(services.now() - startedAt) },
        "relayed",
      );
    } finally {
      services.open.delete(abort);
    }
  };
}

interface Relayed {
  readonly request: Parameters<Middleware>[0];
  readonly credentials: readonly (readonly [string, string])[];
  readonly signal: AbortSignal;
}

async function relay(services: Services, provider: Provider, { request: ctx, credentials, signal }: Relayed): Promise<number> {
  const base = new URL(provider.defaultApiBase ?? "");
  const { endToEnd } = readRequestHeaders(ctx.req);
  const hasBody = ctx.req.headers["content-length"] !== undefined || ctx.req.headers["transfer-encoding"] !== undefined;
  const length = ctx.req.headers["content-length"];
  const response = await send(services.pools.get(base.origin, services.snapshot().config), {
    method: methodOf(ctx.method),
    path: `${base.pathname.replace(/\/+$/, "")}${ctx.path}${ctx.search}`,
    headers: [
      ...(provider.relayHeaders?.(endToEnd, base) ?? endToEnd),
      ...credentials,
      ...(length === undefined ? [] : [["content-length", length] as const]),
    ],
    body: hasBody ? ctx.req : null,
    timeouts: defaultTimeouts,
    signal,
    origin: base.origin,
  });
  const reply = {
    status: response.status,
    headers: response.headers,
    body: response.body,
    isEventStream: false,
    format: "client",
  } as const;
  await drain(ctx.res, reply, {
    ...noPing,
    watch: undefined,
    stuckAfterMs: services.timing.stuckAfterMs,
    encodeStreamError: () => new Uint8Array(),
    signal,
    now: services.now,
  });
  return response.status;
}

const methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"] as const;

function methodOf(method: string): (typeof methods)[number] {
  const known = methods.find((candidate) => candidate === method);
  if (known === undefined) throw new ProxyError(`The method ${method} is not supported.`, { status: 405, kind: "invalid_request_error" });
  return known;
}
