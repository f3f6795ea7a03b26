/** Virtual keys, users, teams and budgets over HTTP, in LiteLLM's paths and shapes. */

import type { Context, Middleware } from "koa";
import type Router from "koa-router";

import { refuseRoute, type KeyHolder } from "../keys/access.ts";
import { redacted } from "../reports/redacted.ts";
import type { AdminReply, AdminRoute, KeyEndpointServices } from "./admin.ts";
import { readAdminBody } from "./admin-body.ts";
import { createAdminErrors, forbidden, refusalOf } from "./admin-error.ts";
import { isViewer, nameOfAdmin } from "./admin-rights.ts";
import { budgetRoutes } from "./budgets.ts";
import { keyChangeRoutes } from "./keys-change.ts";
import { keyMakeRoutes } from "./keys-make.ts";
import { keyShowRoutes } from "./keys-show.ts";
import type { Admin } from "./require-caller.ts";
import { teamMemberRoutes } from "./team-members.ts";
import { teamRoutes } from "./teams.ts";
import { userRoutes } from "./users.ts";

const adminRoutes: readonly AdminRoute[] = [
  ...keyMakeRoutes,
  ...keyChangeRoutes,
  ...keyShowRoutes,
  ...userRoutes,
  ...teamRoutes,
  ...teamMemberRoutes,
  ...budgetRoutes,
];

/** Each key may ask about itself, unless its routes say otherwise. */
const ownPath = "/key/info";

/** @param guard runs first, and refuses those who may not ask at all */
export function addKeys(router: Router, services: KeyEndpointServices, guard: Middleware): void {
  for (const route of adminRoutes) {
    const { method, path } = route;
    router[method](path, createAdminErrors(services, path), guard, (ctx) => answerRoute(ctx, services, route));
  }
}

async function answerRoute(ctx: Context, services: KeyEndpointServices, route: AdminRoute): Promise<void> {
  const now = services.wallClock();
  const admin = await services.adminOf(ctx);
  if (admin.kind === "key") checkKey(ctx, admin.holder, now);
  if (!route.isReading && isViewer(admin)) throw forbidden("The role of your user lets it look, and change nothing.");
  const body = route.method === "post" ? await readAdminBody(ctx) : undefined;
  const reply = await route.answer({ services, ctx, admin, body, now });
  if (!route.isReading) noteChange(services, route.path, admin, reply);
  send(ctx, services, reply);
}

/** @throws ProxyError 401 or 403 */
function checkKey(ctx: Context, holder: KeyHolder, now: number): void {
  const { key } = holder;
  const mayAskOfItself = key.allowedRoutes.length === 0 && ctx.path === ownPath;
  const allowedRoutes = mayAskOfItself ? [ownPath] : key.allowedRoutes;
  const route = { path: ctx.path, address: ctx.req.socket.remoteAddress, now };
  const refusal = refuseRoute({ ...holder, key: { ...key, allowedRoutes } }, route);
  if (refusal !== undefined) throw refusalOf(refusal);
}

/** Who did what to whom, without what was granted. */
function noteChange({ logger }: KeyEndpointServices, path: string, admin: Admin, { about = [] }: AdminReply): void {
  logger.info({ path, by: nameOfAdmin(admin), about }, "changed");
}

function send(ctx: Context, services: KeyEndpointServices, { body, secret, notes = [] }: AdminReply): void {
  // A caller may have put anything into a name.
  const shown = redacted(body, (text) => services.redact(text));
  const isMapping = typeof shown === "object" && shown !== null && !Array.isArray(shown);
  const more = { ...(secret === undefined ? {} : { key: secret }), ...(notes.length === 0 ? {} : { notes }) };
  ctx.type = "application/json";
  // What is kept on the way would be a key.
  ctx.set("cache-control", "no-store");
  ctx.body = JSON.stringify(isMapping ? { ...shown, ...more } : shown);
}
