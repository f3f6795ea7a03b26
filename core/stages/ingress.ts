/** The caller's side: opens the exchange, drains the reply, and renders every failure in the caller's own dialect. */

import type { ServerResponse } from "node:http";

import type { Context, Middleware } from "koa";

import type { Dialect, Ingress, LocalReply, Operation, ReplySummary } from "../../sdk/dialect.ts";
import { ProxyError } from "../../sdk/errors.ts";
import { hubDialect } from "../../sdk/hub/dialect.ts";
import type { Awaitable } from "../../sdk/routing-store.ts";
import { isFromCache } from "../cache/outcome.ts";
import { ClientGone } from "../body/collect.ts";
import { Exchange, type Outcome, type Reply, replyOf } from "../exchange.ts";
import { HookRefusal } from "../phases/hook-refusal.ts";
import type { Services } from "../services.ts";
import { bodyOf, collectReply } from "../stream/collect-reply.ts";
import { drain } from "../stream/drain.ts";
import type { ReplyEnd } from "../stream/last-word.ts";
import { letFlowBy } from "../stream/linger.ts";
import type { StreamTiming } from "../stream/timing.ts";
import { embeddingsSummary } from "../spend/embeddings.ts";
import { encodeForClient } from "../translation/client-reply.ts";
import { headerValue, readRequestHeaders } from "../upstream/headers.ts";
import { withOwnHeaders } from "./reply-headers.ts";

declare module "koa" {
  interface DefaultState {
    exchange: Exchange;
  }
}

/** The reason an exchange is aborted with when the proxy stops before it has ended. */
export class Stopping extends ProxyError {
  constructor() {
    super("The proxy is stopping.", { status: 503, kind: "api_error" });
  }
}

/** A route of one dialect. */
export interface ClientRoute {
  readonly dialect: Dialect;
  readonly ingress: Ingress;
  readonly operation: Operation;
}

export function createIngress(services: Services, { dialect, ingress, operation }: ClientRoute): Middleware {
  return async function ingressStage(ctx, next) {
    const exchange = new Exchange({
      snapshot: services.snapshot(),
      ingress,
      dialect: dialect.name,
      operation,
      path: ctx.path,
      search: dialect.name === hubDialect ? ctx.search : withoutKey(ctx.search),
      headers: readRequestHeaders(ctx.req),
      project: ctx.state.run.project,
      now: services.now,
    });
    ctx.state.exchange = exchange;
    takeOverResponse(ctx, exchange);
    services.open.add(exchange);
    try {
      let reply: Reply;
      let refusal: unknown;
      let whole: ReplySummary | undefined;
      try {
        await next();
        if (exchange.reply === undefined) throw new Error("no stage made a reply");
        ({ reply, whole } = await readWhole(exchange, await encodeForClient(exchange, exchange.reply)));
      } catch (error) {
        if (isGone(error, ctx.res)) {
          settle(exchange, { outcome: "client-gone", status: 499, error });
          return;
        }
        refusal = error;
        reply = replyOf(renderError(services, ingress, error, exchange));
        if (!ctx.req.complete) reply = endingAfter(reply, letFlowBy(ctx.req, { ...services.timing, signal: exchange.signal }));
      }
      if (!ctx.req.complete) reply = { ...reply, headers: [...reply.headers, ["connection", "close"]] };
      await answer(ctx, exchange, reply, { refusal, whole, timing: services.timing, redact: services.redact });
    } catch (error) {
      // A defect of ours must not leave the upstream talking to nobody, nor the exchange without its record.
      exchange.abort(new Error("the answer could not be given", { cause: error }));
      settle(exchange, { outcome: "refused", status: 500, error });
      throw error;
    } finally {
      services.open.delete(exchange);
    }
  };
}

/** Some clients put their key into the address, which goes on to other hosts. */
function withoutKey(search: string): string {
  if (!search.includes("key=")) return search;
  const parameters = new URLSearchParams(search);
  parameters.delete("key");
  return parameters.size === 0 ? "" : `?${parameters.toString()}`;
}

/** From here on the response is ours, not Koa's. */
function takeOverResponse(ctx: Context, exchange: Exchange): void {
  ctx.respond = false;
  // Writing to a caller that has left emits an error that would otherwise end the process.
  ctx.res.on("error", () => undefined);
  ctx.res.once("close", () => {
    if (!ctx.res.writableFinished) exchange.abort(new ClientGone("the client closed the connection"));
  });
}

function isGone(error: unknown, response: ServerResponse): boolean {
  return error instanceof ClientGone || response.destroyed;
}

interface AnswerOptions {
  /** Why there is an error in place of a reply. */
  readonly refusal: unknown;
  /** Of a reply that has been read already. */
  readonly whole: ReplySummary | undefined;
  readonly timing: StreamTiming;
  readonly redact: (text: string) => string;
}

async function answer(ctx: Context, exchange: Exchange, reply: Reply, { refusal, whole, timing, redact }: AnswerOptions): Promise<void> {
  const { ingress } = exchange;
  const isWatched = refusal === undefined && reply.status === 200 && whole === undefined && exchange.operation === "generate";
  const watch = isWatched ? ingress.watch(headerValue(reply.headers, "content-type")?.toLowerCase() ?? "application/json") : undefined;
  const drained = await drain(
    ctx.res,
    { ...reply, headers: withOwnHeaders(reply, exchange) },
    {
      watch,
      ping: ingress.ping,
      quietSince: exchange.receivedAt,
      ...timing,
      encodeStreamError: (error) => ingress.encodeStreamError(redacted(error, redact)),
      signal: exchange.signal,
      now: exchange.now,
      beforeEnd: isWatched ? (end) => account(exchange, end) : undefined,
    },
  );
  const summary = whole ?? drained.summary;
  const inBand = summary?.error;
  exchange.settle({
    outcome: outcomeOf(refusal, drained.failure, inBand),
    status: reply.status,
    summary: asReported(summary, exchange.reported),
    bytes: drained.bytes,
    firstByteMs: sinceReceived(exchange, drained.firstByteAt),
    totalMs: exchange.now() - exchange.receivedAt,
    error: refusal ?? drained.failure ?? inBand,
  });
}

/** Larger ones tell what they cost in the trace only. */
const wholeBytes = 1024 * 1024;

/** A reply in one piece is read before its head goes out, which says what it cost. */
async function readWhole(exchange: Exchange, reply: Reply): Promise<{ readonly reply: Reply; readonly whole: ReplySummary | undefined }> {
  if (reply.isEventStream || reply.status !== 200 || exchange.accounts === undefined) return { reply, whole: undefined };
  const collected = await collectReply(reply.body, wholeBytes);
  if (!collected.isWhole) return { reply: { ...reply, body: collected.body }, whole: undefined };
  const { bytes } = collected;
  const whole = exchange.operation === "embeddings" ? embeddingsSummary(bytes) : watched(exchange, reply, bytes);
  const written = account(exchange, { summary: whole, firstByteAt: undefined, bytes: bytes.length });
  if (written !== undefined) await written;
  return { reply: { ...reply, body: bodyOf(bytes) }, whole };
}

function watched({ ingress }: Exchange, { headers }: Reply, bytes: Uint8Array): ReplySummary {
  const watch = ingress.watch(headerValue(headers, "content-type")?.toLowerCase() ?? "application/json");
  watch.push(bytes);
  return watch.end();
}

/** Before the caller sees the end of a reply that came to its end. */
function account(exchange: Exchange, { summary, firstByteAt, bytes }: ReplyEnd): Awaitable<void> {
  const isGood = summary?.error === undefined;
  return exchange.accounts?.finish({
    outcome: isGood ? "completed" : "upstream-failed",
    status: 200,
    usage: asReported(summary, exchange.reported)?.usage,
    isWhole: isGood,
    bytes,
    isCacheHit: isFromCache(exchange),
    firstByteMs: sinceReceived(exchange, firstByteAt),
    ms: exchange.now() - exchange.receivedAt,
  });
}

function sinceReceived({ receivedAt }: Exchange, at: number | undefined): number | undefined {
  return at === undefined ? undefined : at - receivedAt;
}

/** What is paid for is what the upstream did, whatever hooks made of it. */
function asReported(sent: ReplySummary | undefined, reported: Exchange["reported"]): ReplySummary | undefined {
  const usage = reported?.end().usage;
  if (usage === undefined) return sent;
  return { complete: false, error: undefined, ...sent, usage };
}

function outcomeOf(refusal: unknown, failure: Error | undefined, inBand: string | undefined): Outcome {
  if (failure instanceof Stopping || refusal instanceof Stopping) return "stopped";
  if (failure instanceof ClientGone) return "client-gone";
  if (failure instanceof HookRefusal || refusal instanceof HookRefusal) return "refused";
  if (failure !== undefined || inBand !== undefined) return "upstream-failed";
  if (refusal !== undefined) return refusal instanceof ProxyError && refusal.status >= 502 ? "upstream-failed" : "refused";
  return "completed";
}

function settle(exchange: Exchange, end: { outcome: Outcome; status: number; error: unknown }): void {
  exchange.settle({ ...end, summary: undefined, bytes: 0, firstByteMs: undefined, totalMs: exchange.now() - exchange.receivedAt });
}

/** A reply that is all there at once, but ends, and with it the connection, only when the rest of the request has gone by. */
function endingAfter(reply: Reply, gone: Promise<void>): Reply {
  async function* body(): AsyncGenerator<Uint8Array> {
    yield* reply.body;
    await gone;
  }
  return { ...reply, body: body() };
}

/** What the caller sees of a failure: our own words for a ProxyError, no inner detail of anything else. */
export function renderError(services: Services, ingress: Ingress, error: unknown, exchange: { readonly id: string }): LocalReply {
  if (error instanceof ProxyError) {
    return ingress.encodeError(redacted(error, services.redact), exchange.id);
  }
  services.logger.error({ requestId: exchange.id, error }, "a request failed for a reason within the proxy");
  const hidden = new ProxyError(`The proxy failed on this request; its log has the reason under ${exchange.id}.`, {
    status: 500,
    kind: "api_error",
  });
  return ingress.encodeError(hidden, exchange.id);
}

function redacted({ message, status, kind, headers, type }: ProxyError, redact: (text: string) => string): ProxyError {
  return new ProxyError(redact(message), { status, kind, headers, type });
}
