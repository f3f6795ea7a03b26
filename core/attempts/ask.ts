/** Asks one deployment, once: prepares the request for it, sends it, and tells what came back. */

import type { RequestBody } from "../../sdk/body.ts";
import { hideCredentials } from "../credentials/hide.ts";
import type { AttemptReason, Exchange, Reply } from "../exchange.ts";
import { type PrepareServices, prepareAttempt } from "../phases/prepare-attempt.ts";
import type { AttemptAccount } from "../ledger/accounts.ts";
import type { PlannedTarget } from "../routing/leg.ts";
import type { Sending } from "../translation/encode-attempt.ts";
import { asTold, collectError, isReadable, readUpstreamError } from "../translation/upstream-error.ts";
import { readUpstreamReply } from "../translation/upstream-reply.ts";
import { describeUnusable } from "../upstream/unusable.ts";
import { classifyRefusal } from "./classify.ts";
import type { Failure } from "./failure.ts";
import { countHere, encodeCount, mock } from "./local-answers.ts";
import { type CredentialOwner, type TransmitServices, type Transmitted, transmit } from "./transmit.ts";

export interface AskServices extends PrepareServices, TransmitServices {}

export interface Question {
  readonly target: PlannedTarget;
  /** In place of the exchange's own: a request of the hub. */
  readonly body: RequestBody | undefined;
  readonly reason: AttemptReason;
  readonly account: AttemptAccount | undefined;
  /** Aborts this attempt. */
  readonly signal: AbortSignal;
}

export type Asked =
  /** @param credential undefined where nobody was asked */
  | { readonly type: "reply"; readonly reply: Reply; readonly credential: CredentialOwner | undefined }
  | { readonly type: "refused"; readonly failure: Failure; readonly credential: CredentialOwner };

/**
 * @throws ProxyError when no upstream answered, what it answered is of no use, or a hook denies the request
 * @throws the reason of the signal
 */
export async function ask(exchange: Exchange, services: AskServices, { target, body, reason, account, signal }: Question): Promise<Asked> {
  for (let withoutThinking = false; ; withoutThinking = true) {
    const prepared = await prepareAttempt(exchange, services, target, { withoutThinking, body });
    if (prepared.type === "answered") return made(prepared.reply);
    const { model } = prepared;
    if (prepared.type === "mocked") return made(await mock(exchange, { ...target, model }, services));
    if (prepared.type === "lacking") return made(await countHere(exchange, target, services));
    const { sending } = prepared;
    const { outbound, dialect } = sending;
    const transmitted = await transmit(exchange, services, { target: { ...target, model }, dialect, outbound, reason, account, signal });
    exchange.trace.add("call", "answered", {
      status: transmitted.response.status,
      model,
      deployment: target.deployment.deploymentId,
    });
    const answered = await read(exchange, services, { sending, transmitted, withoutThinking });
    if (answered !== "again without thinking") return answered;
    exchange.trace.add("call", "asking again without the thinking that was sealed for it", { status: transmitted.response.status });
  }
}

function made(reply: Reply): Asked {
  return { type: "reply", reply, credential: undefined };
}

interface Answer {
  readonly sending: Sending;
  readonly transmitted: Transmitted;
  readonly withoutThinking: boolean;
}

async function read(
  exchange: Exchange,
  services: AskServices,
  { sending, transmitted, withoutThinking }: Answer,
): Promise<Asked | "again without thinking"> {
  const { response, credential } = transmitted;
  const hide = (text: string): string => services.redact(hideCredentials(text, exchange.caller.credentials));
  const { apiBase, provider } = sending.deployment;
  const isKnown = (contentType: string): boolean => provider?.unframe?.(contentType) !== undefined;
  const unusable = await describeUnusable(response, { apiBase, isKnown, hide });
  if (unusable !== undefined) throw unusable;
  if (response.status < 400) return { type: "reply", reply: await readUpstreamReply(exchange, sending, response), credential };
  if (exchange.operation === "count_tokens" && lacksCounting(response.status)) {
    await response.body.return();
    return made(await encodeCount(exchange, services, "counted here: the upstream has no count_tokens"));
  }
  const refusal = await collectError(response);
  const { error, retry } = readUpstreamError(refusal, sending, hide);
  const isToldAsItCame = isClientsOwn(exchange, sending) && isReadable(refusal, sending);
  if (!isToldAsItCame && retry === "without-thinking" && !withoutThinking) return "again without thinking";
  const told: Failure["told"] = isToldAsItCame
    ? { type: "reply", reply: await readUpstreamReply(exchange, sending, asTold(refusal, sending, services.redact)) }
    : { type: "error", error };
  const { status, headers } = response;
  const failure = classifyRefusal({ error, status, headers, told, credential }, services.wallClock());
  return { type: "refused", failure, credential };
}

/** Whether the caller reads the upstream's own error. */
function isClientsOwn(exchange: Exchange, { format }: Sending): boolean {
  return format === "client" || (format === "hub" && exchange.ingress.translation === undefined);
}

/** What hosts that speak only the main part of a protocol answer to the rest of it. */
function lacksCounting(status: number): boolean {
  return status === 404 || status === 405 || status === 501;
}
