/** Guards of the proxy's own endpoints. */

import type { Middleware } from "koa";

import { ProxyError } from "../../sdk/errors.ts";
import type { Services } from "../services.ts";
import { authPolicy, authenticate, sameSecret } from "../stages/auth.ts";

export type RequireCaller = Middleware;

/** Lets through whoever may send requests, and the holder of the control token of the state file. */
export function createRequireCaller(services: Services): RequireCaller {
  return async function requireCaller(ctx, next) {
    const token = ctx.get("x-ccproxy-token");
    if (token !== "") {
      if (!sameSecret(token, services.controlToken)) {
        throw new ProxyError("x-ccproxy-token is not the control token of this server.", { status: 401, kind: "authentication_error" });
      }
    } else {
      authenticate(ctx.req, ctx.state.run, authPolicy(services.snapshot().config, services.localToken));
    }
    await next();
  };
}
