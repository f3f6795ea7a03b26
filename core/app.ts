/** The Koa application: the gate before everything, one chain per client route, the proxy's own endpoints beside it. */

import Koa, { type Context, type Middleware } from "koa";
import Router from "koa-router";

import { ProxyError } from "../sdk/errors.ts";
import type { Ingress } from "../sdk/dialect.ts";
import { createRequestId } from "./exchange.ts";
import { createChain } from "./chain.ts";
import { addControl } from "./endpoints/control.ts";
import { addHealth } from "./endpoints/health.ts";
import type { KeyEndpointServices } from "./endpoints/admin.ts";
import { addKeys } from "./endpoints/keys.ts";
import { createRequireAdmin, scopeOf } from "./endpoints/require-admin.ts";
import { addSpend, addSpendControl } from "./endpoints/spend.ts";
import { addModels } from "./endpoints/models.ts";
import { createPassThrough } from "./endpoints/pass-through.ts";
import { adminOf, createRequireCaller } from "./endpoints/require-caller.ts";
import type { Services } from "./services.ts";
import { accessGroupsOf } from "./stages/model-rights.ts";
import { createGate } from "./stages/gate.ts";
import { takesLocalToken } from "./stages/auth.ts";
import { renderError } from "./stages/ingress.ts";
import { letFlowBy } from "./stream/linger.ts";

export function createApp(services: Services): Koa {
  const app = new Koa();
  // X-Forwarded-* of whoever asks proves nothing.
  app.proxy = false;
  // Koa reports here what went wrong after an answer began, mostly callers that left; each is in the log already.
  app.on("error", (error: unknown) => services.logger.debug({ error }, "after the answer had begun"));

  const router = new Router();
  const requireCaller = createRequireCaller(services);
  for (const dialect of services.registry.dialects.values()) {
    const { ingress } = dialect;
    for (const { path, operation } of ingress?.routes ?? []) {
      if (ingress !== undefined) router.post(path, requireJson, ...createChain(services, { dialect, ingress, operation }));
    }
  }
  addHealth(router, services, requireCaller);
  addModels(router, services);
  addControl(router, services, requireCaller);
  addSpendControl(router, services, requireCaller);
  addSpend(router, services, createRequireAdmin(services), scopeOf);
  addKeys(router, keyServices(services), everybody);

  app.use(createErrors(services, services.registry.hub));
  app.use(
    createGate(() => {
      const { config } = services.snapshot();
      return { allowedHosts: config.server.allowedHosts, acceptLocalAddress: takesLocalToken(config) };
    }),
  );
  app.use(router.routes());
  app.use(createPassThrough(services));
  app.use(createNotFound((path) => router.match(path, "").path.length > 0));
  return app;
}

/** Who may do what is for the endpoint to say. */
const everybody: Middleware = (_, next) => next();

function keyServices(services: Services): KeyEndpointServices {
  return {
    ...services,
    modelGroups: () => services.snapshot().routes.listed,
    accessGroups: () => services.snapshot().config.deployments.flatMap(({ info }) => accessGroupsOf(info)),
    adminOf: (ctx) => adminOf(ctx, services),
  };
}

/** Renders what is refused outside a chain, in the hub's dialect for want of a better one, and notes it in the access log. */
function createErrors(services: Services, ingress: Ingress): Middleware {
  return async function errors(ctx, next) {
    try {
      await next();
    } catch (error) {
      if (ctx.res.headersSent || ctx.res.destroyed) {
        ctx.res.destroy();
        return;
      }
      ctx.respond = true;
      const id = createRequestId();
      const reply = renderError(services, ingress, error, { id });
      ctx.status = reply.status;
      for (const [name, value] of reply.headers) ctx.set(name, value);
      if (ctx.req.complete) ctx.body = Buffer.concat(reply.chunks);
      else void closeAfter(ctx, Buffer.concat(reply.chunks), letFlowBy(ctx.req, services.timing));
      services.logger.info(
        {
          requestId: id,
          method: ctx.method,
          path: ctx.path,
          status: reply.status,
          outcome: "refused",
          reason: error instanceof ProxyError ? error.message : "internal",
        },
        "refused",
      );
    }
  };
}

/** The whole answer at once; its end, and with it that of the connection, only when the rest of the request has gone by. */
async function closeAfter(ctx: Context, body: Uint8Array, gone: Promise<void>): Promise<void> {
  ctx.respond = false;
  ctx.set("connection", "close");
  ctx.res.on("error", () => undefined);
  ctx.res.write(body);
  await gone;
  ctx.res.end();
}

/** A form is what a web page can send without asking; JSON is what every client sends. */
const requireJson: Middleware = async function requireJson(ctx, next) {
  const type = ctx.get("content-type").split(";")[0]?.trim().toLowerCase();
  if (type !== "application/json") {
    throw new ProxyError(`The content-type must be application/json, not ${type === "" ? "absent" : `"${type}"`}.`, {
      status: 415,
      kind: "invalid_request_error",
    });
  }
  await next();
};

function createNotFound(isRouted: (path: string) => boolean): Middleware {
  return function notFound(ctx) {
    if (isRouted(ctx.path))
      throw new ProxyError(`${ctx.path} does not take ${ctx.method}.`, { status: 405, kind: "invalid_request_error" });
    throw new ProxyError(`There is no ${ctx.method} ${ctx.path} here.`, { status: 404, kind: "not_found_error" });
  };
}
