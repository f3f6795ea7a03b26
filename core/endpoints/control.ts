/** `/ccproxy/*`: what the command line and a status bar ask the running proxy. */

import type { Context } from "koa";
import type Router from "koa-router";

import { ProxyError } from "../../sdk/errors.ts";
import { explainTrace } from "../explain-trace.ts";
import type { Services } from "../services.ts";
import type { RequireCaller } from "./require-caller.ts";

export function addControl(router: Router, services: Services, requireCaller: RequireCaller): void {
  // A caller may have put anything into the name of a model.
  const answer = (ctx: Context, value: unknown): void => {
    ctx.type = "application/json";
    ctx.body = services.redact(JSON.stringify(value));
  };
  router.get("/ccproxy/status", requireCaller, async (ctx) => answer(ctx, await services.status()));
  router.get("/ccproxy/traces/:id", requireCaller, async (ctx) => {
    const asked = String(ctx["params"]["id"]);
    const requestId = asked === "last" ? (services.traces.last ?? "") : asked;
    const trace = services.traces.get(requestId);
    const other = trace === undefined || asked === "last" ? await services.findElsewhere(asked) : undefined;
    if (other !== undefined && other.at >= services.traces.endedAt(requestId)) {
      answer(ctx, { requestId: other.requestId, ...other.explained });
      return;
    }
    if (trace === undefined) {
      const why =
        asked === "last"
          ? "There is no trace yet: no request has ended since the start."
          : "There is no trace of this request: it has not ended, or newer ones took its place.";
      throw new ProxyError(why, { status: 404, kind: "not_found_error" });
    }
    answer(ctx, { requestId, ...explainTrace(trace) });
  });
}
