/** Guards of what is about money: whoever runs the proxy sees all of it, everybody else what is its own. */

import type { Context, Middleware } from "koa";

import type { LedgerFilter } from "../../sdk/ledger.ts";
import { accountOf } from "../keys/account.ts";
import { refuseRoute } from "../keys/access.ts";
import type { Services } from "../services.ts";
import { refusedAccess } from "../stages/auth.ts";
import { type Admin, adminOf } from "./require-caller.ts";

declare module "koa" {
  interface DefaultState {
    /** Written by `requireAdmin`. */
    admin?: Admin;
  }
}

/** Lets in whoever runs the proxy, and keys; those whose routes do not say otherwise may ask about their own. */
export function createRequireAdmin(services: Services): Middleware {
  return async function requireAdmin(ctx, next) {
    const admin = await adminOf(ctx, services);
    if (admin.kind === "key") {
      const { key } = admin.holder;
      const allowedRoutes = key.allowedRoutes.length === 0 ? [ctx.path] : key.allowedRoutes;
      const asked = { path: ctx.path, address: ctx.req.socket.remoteAddress, now: services.wallClock() };
      const refused = refuseRoute({ ...admin.holder, key: { ...key, allowedRoutes } }, asked);
      if (refused !== undefined) throw refusedAccess(refused);
    }
    ctx.state.admin = admin;
    await next();
  };
}

/** What the caller may see of the ledger. */
export function scopeOf(ctx: Context): LedgerFilter {
  const { admin } = ctx.state;
  if (admin === undefined) throw new Error("nobody has looked who asks");
  if (admin.kind === "master" || admin.holder.user?.role?.startsWith("proxy_admin") === true) return {};
  const { key } = admin.holder;
  return key.userId === undefined ? { keyId: accountOf(key) } : { userId: key.userId };
}
