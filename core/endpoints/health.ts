/** For those who watch the proxy: does it live, does it take requests, what stands behind it. */

import type { Context } from "koa";
import type Router from "koa-router";

import { ProxyError } from "../../sdk/errors.ts";
import type { DeploymentHealthRow } from "../health/describe.ts";
import type { Services } from "../services.ts";
import type { RequireCaller } from "./require-caller.ts";
import { version } from "../version.ts";

export function addHealth(router: Router, services: Services, requireCaller: RequireCaller): void {
  router.get("/", (ctx) => {
    ctx.body = { name: "ccproxy", version };
  });
  // Claude Code asks once at its start.
  router.get("/api/hello", (ctx) => {
    ctx.body = { message: "hello" };
  });
  for (const path of ["/health/liveliness", "/health/liveness"]) {
    router.get(path, (ctx) => {
      ctx.body = { status: "alive" };
    });
  }
  router.get("/health/readiness", async (ctx) => {
    const draining = services.draining();
    const stores = await services.stores.status();
    const ledger = stores.find(({ keeps }) => keeps.includes("ledger"));
    const away = stores.filter(({ isUp }) => !isUp).map(({ name }) => name);
    ctx.status = draining ? 503 : 200;
    ctx.body = {
      status: draining ? "draining" : "ready",
      snapshot: services.snapshot().id,
      // What is away is worked around, as configured: it does not make the proxy unready. Why it is away is not for everybody.
      db: ledger?.isUp === true ? "connected" : "Not connected",
      ...(away.length === 0 ? {} : { away }),
      litellm_version: version,
    };
  });
  router.get("/health", requireCaller, async (ctx) => {
    const { health } = services;
    const wanted = wantedRows(await health.rows(), ctx, services);
    if (isYes(ctx.query["live"])) await health.checkNow(wanted.map(({ id }) => id));
    const ids = new Set(wanted.map(({ id }) => id));
    const rows = (await health.rows()).filter(({ id }) => ids.has(id));
    const { details } = services.snapshot().config.router.health;
    ctx.type = "application/json";
    // What upstreams say may repeat what they were sent.
    ctx.body = services.redact(JSON.stringify(report(rows, details)));
  });
}

/** @throws ProxyError 404 for a group or an id that is not configured */
function wantedRows(rows: readonly DeploymentHealthRow[], ctx: Context, services: Services): readonly DeploymentHealthRow[] {
  const { model, model_id: modelId } = ctx.query;
  const name = typeof modelId === "string" ? modelId : model;
  if (name === undefined) return rows;
  const resolution = typeof name === "string" ? services.snapshot().routes.resolve(name) : undefined;
  if (resolution === undefined || resolution.by === "pass-through") {
    const known = services.snapshot().routes.listed.join(", ");
    const message = `model: ${String(name)} is not in model_list${known === "" ? "" : `, which has ${known}`}.`;
    throw new ProxyError(message, { status: 404, kind: "not_found_error" });
  }
  const ids = new Set(resolution.deployments.map(({ deploymentId }) => deploymentId));
  return rows.filter(({ id }) => ids.has(id));
}

function isYes(value: unknown): boolean {
  return value === "" || value === "true" || value === "1";
}

/** LiteLLM's shape, with a third list: those of which nothing is known count neither as healthy nor as unhealthy. */
function report(rows: readonly DeploymentHealthRow[], details: boolean): unknown {
  const healthy = rows.filter(({ state }) => state === "healthy");
  const unknown = rows.filter(({ state }) => state === "unknown");
  const unhealthy = rows.filter(({ state }) => state === "unhealthy" || state === "cooled");
  const list = (some: readonly DeploymentHealthRow[]): unknown => some.map((row) => endpoint(row, details));
  return {
    healthy_endpoints: list(healthy),
    unhealthy_endpoints: list(unhealthy),
    unknown_endpoints: list(unknown),
    healthy_count: healthy.length,
    unhealthy_count: unhealthy.length,
    unknown_count: unknown.length,
  };
}

function endpoint(row: DeploymentHealthRow, details: boolean): unknown {
  const { id, group, provider, model, apiBase, state, reason, status, cooldown, lastCheck } = row;
  const known = { model: `${provider}/${model}`, model_id: id, model_name: group };
  if (!details) return known;
  return {
    ...known,
    ...(apiBase === "" ? {} : { api_base: apiBase }),
    ...(state === "unknown" ? { reason } : reason === null ? {} : { error: reason }),
    ...(status === null ? {} : { status_code: status }),
    ...(cooldown === null ? {} : { cooldown_seconds: Math.ceil(cooldown.ms / 1000) }),
    ...(lastCheck === null ? {} : { last_check: lastCheck.at }),
  };
}
