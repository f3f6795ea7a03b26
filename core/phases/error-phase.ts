/** Tells `onError` what went wrong: a refusal or failure of the proxy's, an upstream's error, or a stream that broke. */

import type { CallError } from "../../sdk/define.ts";
import { type ErrorKind, ProxyError } from "../../sdk/errors.ts";
import { events as hubEvents } from "../../sdk/hub/events.ts";
import type { Exchange, Reply, Settlement } from "../exchange.ts";
import { hideCredentials } from "../credentials/hide.ts";
import { bodyOf, collectReply } from "../stream/collect-reply.ts";
import { UpstreamRefusal } from "../translation/upstream-error.ts";
import { runAfterwards } from "./afterwards.ts";
import type { PostCallServices } from "./reply-post-call.ts";
import { checkDecision, replyOfDecision } from "./request-decision.ts";
import { type AcceptedResult, runPhase } from "./run-phase.ts";
import type { UserProgram } from "./user-program.ts";

export type ErrorServices = PostCallServices;

/** Enough for any envelope; what is longer is told as far as that. */
const maxErrorBytes = 64 * 1024;

/**
 * @param work makes the reply
 * @returns the reply, or that of a hook that answers in place of an error
 * @throws what `work` throws, or the denial of a hook in its place
 */
export async function withErrorHooks(exchange: Exchange, services: ErrorServices, work: () => Promise<Reply>): Promise<Reply> {
  const { userProgram: program } = exchange;
  if (program === undefined || program.hooks("onError").length === 0) return work();
  let reply: Reply;
  try {
    reply = await work();
  } catch (error) {
    // Nobody is there to be answered.
    if (exchange.signal.aborted) throw error;
    const answer = await ask(exchange, services, program, describe(error, services, false));
    if (answer === undefined) throw error;
    return answer;
  }
  if (reply.status < 400) return reply;
  const collected = await collectReply(reply.body, maxErrorBytes);
  const whole = collected.isWhole ? { ...reply, body: bodyOf(collected.bytes) } : { ...reply, body: collected.body };
  const head = collected.isWhole ? collected.bytes : collected.head;
  const { type, message } = hubEvents.readError(reply.status, head);
  const told: CallError = { status: reply.status, type, message: hide(exchange, services, message), source: "upstream", midStream: false };
  return (await ask(exchange, services, program, told)) ?? whole;
}

/** What one hook answers, if any does. @throws HookRefusal */
async function ask(exchange: Exchange, services: ErrorServices, program: UserProgram, error: CallError): Promise<Reply | undefined> {
  const accept = ({ by, decision }: AcceptedResult): readonly string[] => {
    checkDecision(by, decision);
    return [];
  };
  const subject = JSON.stringify(error);
  let units = program.hooks("onError");
  while (units.length > 0) {
    const { by, decision, rest } = await runPhase(exchange, services, { program, phase: "onError", units, subject, accept });
    if (by !== undefined && decision !== undefined) return replyOfDecision(exchange, services, by, decision);
    units = rest;
  }
  return undefined;
}

/** Tells of a reply that broke after it had begun. It cannot be answered otherwise any more, and nothing waits for this. */
export function tellBrokenReply(exchange: Exchange, services: ErrorServices, program: UserProgram, settlement: Settlement): void {
  const { outcome, error, status, summary } = settlement;
  const hasBegun = exchange.reply?.status === status && (outcome === "upstream-failed" || outcome === "refused");
  if (error === undefined || !hasBegun) return;
  const told =
    typeof error === "string"
      ? inBand(error, summary?.errorMessage === undefined ? error : hide(exchange, services, summary.errorMessage))
      : describe(error, services, true);
  runAfterwards(exchange, services, program, async (signal) => {
    const subject = JSON.stringify(told);
    let units = program.hooks("onError");
    while (units.length > 0) {
      ({ rest: units } = await runPhase(exchange, services, { program, phase: "onError", units, subject, signal, observesOnly: true }));
    }
  });
}

/** Upstreams that do not like a key repeat it. */
function hide({ caller }: Exchange, { redact }: ErrorServices, text: string): string {
  return redact(hideCredentials(text, caller.credentials));
}

/** As the caller is told of it: nothing from inside. */
function describe(error: unknown, { redact }: ErrorServices, midStream: boolean): CallError {
  if (error instanceof ProxyError) {
    return {
      status: error.status,
      type: error.kind,
      message: redact(error.message),
      source: error instanceof UpstreamRefusal ? "upstream" : "proxy",
      midStream,
    };
  }
  return { status: 500, type: "api_error", message: "The proxy failed on this request.", source: "proxy", midStream };
}

function inBand(type: string, message: string): CallError {
  return { status: isKind(type) ? statuses[type] : 500, type, message, source: "upstream", midStream: true };
}

function isKind(type: string): type is ErrorKind {
  return Object.hasOwn(statuses, type);
}

/** Of an error that came without one. */
const statuses: Readonly<Record<ErrorKind, number>> = {
  invalid_request_error: 400,
  authentication_error: 401,
  billing_error: 402,
  permission_error: 403,
  not_found_error: 404,
  request_too_large: 413,
  rate_limit_error: 429,
  api_error: 500,
  not_supported: 501,
  timeout_error: 504,
  overloaded_error: 529,
};
