/** For those who watch the proxy: does it live, does it take requests, what stands behind it. */

import type Router from "koa-router";

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
  router.get("/health/readiness", (ctx) => {
    const draining = services.draining();
    ctx.status = draining ? 503 : 200;
    ctx.body = { status: draining ? "draining" : "ready", snapshot: services.snapshot().id };
  });
  router.get("/health", requireCaller, (ctx) => {
    const { routes } = services.snapshot();
    ctx.body = {
      status: services.draining() ? "draining" : "ready",
      deployments: routes.deployments().map((deployment) => ({
        id: deployment.deploymentId,
        model: deployment.model,
        provider: deployment.providerName,
        api_base: deployment.apiBase,
        served: deployment.provider !== undefined || deployment.mockResponse !== undefined,
      })),
    };
  });
}
