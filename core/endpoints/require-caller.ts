/** Guards of the proxy's own endpoints. */

import type { Context, Middleware } from "koa";

import { ProxyError } from "../../sdk/errors.ts";
import type { Caller } from "../exchange.ts";
import type { KeyHolder } from "../keys/access.ts";
import type { Services } from "../services.ts";
import { type KeyPolicy, authPolicy, authenticate, authenticateKeys, identify, sameSecret } from "../stages/auth.ts";

export type RequireCaller = Middleware;

type CallerServices = Pick<Services, "snapshot" | "localToken" | "controlToken" | "keyRing" | "wallClock">;

const operator: Caller = { kind: "local", credentials: [] };

/** Lets through whoever runs this proxy, and where nothing is asked for everybody; the holder of the control token of the state file, too. */
export function createRequireCaller(services: Omit<CallerServices, "keyRing" | "wallClock">): RequireCaller {
  return async function requireCaller(ctx, next) {
    if (!holdsControlToken(ctx, services)) {
      authenticate(ctx.req, ctx.state.run, authPolicy(services.snapshot().config, services.localToken));
    }
    await next();
  };
}

declare module "koa" {
  interface DefaultState {
    /** Written by `requireKey`. */
    caller?: Caller;
  }
}

/** Lets virtual keys through, too, where they may use the path. */
export function createRequireKey(services: CallerServices): Middleware {
  return async function requireKey(ctx, next) {
    ctx.state.caller = holdsControlToken(ctx, services)
      ? operator
      : await authenticateKeys(ctx.req, ctx.state.run, keyPolicy(ctx, services));
    await next();
  };
}

/** @throws Error where nobody has looked who calls */
export function callerOf(ctx: Context): Caller {
  const { caller } = ctx.state;
  if (caller === undefined) throw new Error("nobody has looked who calls");
  return caller;
}

/** Who may do what: with the master key everything. */
export type Admin = { readonly kind: "master" } | { readonly kind: "key"; readonly holder: KeyHolder };

/**
 * Whoever runs this proxy has the control token, or the master key; where neither is asked for, there are no keys to guard. What a key may do
 * here, and whether it may be used at all any more, is for the endpoint to say.
 *
 * @throws ProxyError 401 for nobody who is known, 503 when nobody can tell
 */
export async function adminOf(ctx: Context, services: CallerServices): Promise<Admin> {
  if (holdsControlToken(ctx, services)) return { kind: "master" };
  const { holder } = await identify(ctx.req, ctx.state.run, keyPolicy(ctx, services));
  return holder === undefined ? { kind: "master" } : { kind: "key", holder };
}

function keyPolicy(ctx: Context, { snapshot, localToken, keyRing, wallClock }: CallerServices): KeyPolicy {
  const asked = { path: ctx.path, address: ctx.req.socket.remoteAddress, now: wallClock() };
  return { ...authPolicy(snapshot().config, localToken), keyRing, asked };
}

/** @throws ProxyError 401 for another one */
function holdsControlToken(ctx: Context, { controlToken }: Pick<CallerServices, "controlToken">): boolean {
  const token = ctx.get("x-ccproxy-token");
  if (token === "") return false;
  if (sameSecret(token, controlToken)) return true;
  throw new ProxyError("x-ccproxy-token is not the control token of this server.", { status: 401, kind: "authentication_error" });
}
