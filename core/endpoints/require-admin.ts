/** Guards of what is about keys, people and money. */

import type { Context, Middleware } from "koa";

import { ProxyError } from "../../sdk/errors.ts";
import type { LedgerFilter } from "../../sdk/ledger.ts";
import type { Caller } from "../exchange.ts";
import type { KeyHolder } from "../keys/access.ts";
import type { Services } from "../services.ts";
import { authPolicy, authenticateKeys, sameSecret } from "../stages/auth.ts";

/** Who may do what: with the master key everything. */
export type Admin = { readonly kind: "master" } | { readonly kind: "key"; readonly holder: KeyHolder };

/** Whoever runs this proxy has the control token, or the master key; everybody else needs a virtual key that may use the path. */
export async function adminOf(ctx: Context, services: Services): Promise<Admin> {
  const token = ctx.get("x-ccproxy-token");
  if (token !== "") {
    if (sameSecret(token, services.controlToken)) return { kind: "master" };
    throw new ProxyError("x-ccproxy-token is not the control token of this server.", { status: 401, kind: "authentication_error" });
  }
  const { config } = services.snapshot();
  const asked = { path: ctx.path, address: ctx.req.socket.remoteAddress, now: services.wallClock() };
  const policy = { ...authPolicy(config, services.localToken), keyRing: services.keyRing, asked };
  return adminOfCaller(await authenticateKeys(ctx.req, ctx.state.run, policy));
}

/** The local token opens what the master key opens; where neither is asked for, there are no keys, and nobody else's spend. */
function adminOfCaller({ holder }: Caller): Admin {
  return holder === undefined ? { kind: "master" } : { kind: "key", holder };
}

/** What a caller may see of the ledger: its own, unless it runs the proxy. */
export function scopeOf(ctx: Context): LedgerFilter {
  const admin: unknown = ctx.state["admin"];
  if (!isAdmin(admin)) throw new Error("nobody has looked who asks");
  if (admin.kind === "master" || admin.holder.user?.role?.startsWith("proxy_admin") === true) return {};
  const { key } = admin.holder;
  return key.userId === undefined ? { keyId: key.id } : { userId: key.userId };
}

export function createRequireAdmin(services: Services): Middleware {
  return async function requireAdmin(ctx, next) {
    ctx.state["admin"] = await adminOf(ctx, services);
    await next();
  };
}

function isAdmin(value: unknown): value is Admin {
  return typeof value === "object" && value !== null && "kind" in value;
}
