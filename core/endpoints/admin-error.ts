/** Refusals of the management endpoints, in LiteLLM's envelope. Neither words nor log ever hold a key. */

import type { Context, Middleware } from "koa";

import { ProxyError, type ErrorKind } from "../../sdk/errors.ts";
import type { Logger } from "../../sdk/log.ts";
import { TakenError } from "../../sdk/keys.ts";
import { ClientGone } from "../body/collect.ts";
import { mask } from "../config/describe.ts";
import type { Refusal } from "../keys/access.ts";
import { letFlowBy } from "../stream/linger.ts";
import { streamTiming } from "../stream/timing.ts";

export function refusalOf({ message, ...options }: Refusal): ProxyError {
  return new ProxyError(message, options);
}

export function notFound(message: string): ProxyError {
  return new ProxyError(message, { status: 404, kind: "not_found_error" });
}

export function forbidden(message: string): ProxyError {
  return new ProxyError(message, { status: 403, kind: "permission_error" });
}

export function conflict(message: string): ProxyError {
  return new ProxyError(message, { status: 409, kind: "invalid_request_error" });
}

/** For a store's word that a name is taken already; anything else goes on as it is. */
export function takenAs(error: unknown, words: Readonly<Record<TakenError["field"], string>>, status: 400 | 409 = 400): unknown {
  if (!(error instanceof TakenError)) return error;
  return new ProxyError(words[error.field], { status, kind: "invalid_request_error" });
}

const types: Readonly<Partial<Record<ErrorKind, string>>> = {
  invalid_request_error: "bad_request_error",
  authentication_error: "auth_error",
  permission_error: "auth_error",
  not_found_error: "not_found_error",
};
const namedField = /^([a-z]\w*)[^\s:]*: /;
const unknownError = new ProxyError("Internal server error.", { status: 500, kind: "api_error" });

interface ErrorOptions {
  readonly logger: Pick<Logger, "info" | "warn">;
  redact(text: string): string;
}

/** @param path as it is routed: the one that was asked for may hold a key */
export function createAdminErrors(options: ErrorOptions, path: string): Middleware {
  return async function adminErrors(ctx, next) {
    try {
      await next();
    } catch (error) {
      if (error instanceof ClientGone || ctx.res.headersSent || ctx.res.destroyed) {
        ctx.respond = false;
        ctx.res.destroy();
        return;
      }
      const { logger } = options;
      const shown = error instanceof ProxyError ? error : unknownError;
      if (shown === unknownError) logger.warn({ path, error }, "a management request failed");
      const message = options.redact(withoutKey(ctx, shown.message));
      logger.info({ method: ctx.method, path, status: shown.status, outcome: "refused", reason: message }, "refused");
      await answer(ctx, shown, message);
    }
  };
}

/** Too short to be one, and in too many words. */
const leastKey = 4;

/** Keys that people choose themselves may look like anything. */
function withoutKey(ctx: Context, message: string): string {
  const params: Readonly<Record<string, unknown>> = ctx["params"] ?? {};
  const named = [params["key"], ctx.query["key"]].flat().filter((value) => typeof value === "string");
  const forms = named.flatMap((value) => [value, encodeURIComponent(value.toWellFormed())]).filter(({ length }) => length >= leastKey);
  return forms.reduce((text, form) => text.replaceAll(form, mask), message);
}

async function answer(ctx: Context, error: ProxyError, message: string): Promise<void> {
  const type = error.type ?? types[error.kind] ?? error.kind;
  const param = error.status === 400 ? (namedField.exec(message)?.[1] ?? null) : null;
  ctx.status = error.status;
  for (const [name, value] of Object.entries(error.headers)) ctx.set(name, value);
  ctx.type = "application/json";
  const body = JSON.stringify({ error: { message, type, param, code: String(error.status) } });
  if (ctx.req.complete) {
    ctx.body = body;
    return;
  }
  // What is still being sent would be taken for the next request, and closing at once would lose the answer.
  ctx.respond = false;
  ctx.set("connection", "close");
  ctx.res.on("error", () => undefined);
  ctx.res.write(body);
  await letFlowBy(ctx.req, streamTiming);
  ctx.res.end();
}
