/** Sends the request to the planned deployment and makes the reply out of what comes back. */

import type { HeaderList } from "../../sdk/dialect.ts";
import { encodeText } from "../../sdk/hub/local-message.ts";
import type { Outbound } from "../../sdk/provider.ts";
import type { Config } from "../config/types.ts";
import { hideCredentials } from "../credentials/hide.ts";
import { type Selected, selectCredential } from "../credentials/select.ts";
import type { Tokens } from "../credentials/token-source.ts";
import { type Attempt, type Exchange, type Reply, replyOf } from "../exchange.ts";
import type { PlannedTarget } from "../routing/leg.ts";
import { type PrepareServices, prepareAttempt } from "../phases/prepare-attempt.ts";
import { type Sending, lacksOperation } from "../translation/encode-attempt.ts";
import { asTold, collectError, isReadable, readUpstreamError } from "../translation/upstream-error.ts";
import { readUpstreamReply } from "../translation/upstream-reply.ts";
import type { Deployment } from "../routing/deployment.ts";
import { describeUnusable } from "../upstream/unusable.ts";
import type { Pools } from "../upstream/pools.ts";
import { type UpstreamResponse, send } from "../upstream/send.ts";

export interface CallServices extends PrepareServices {
  readonly pools: Pools;
  tokenSources(config: Config): ReadonlyMap<string, Tokens>;
}

/**
 * @throws ProxyError when no upstream answered, or one refused in another dialect than the caller's; an upstream's own
 * error in the caller's dialect is a reply like any other
 */
export async function callUpstream(exchange: Exchange, services: CallServices): Promise<Reply> {
  const target = exchange.target;
  if (target === undefined) throw new Error("the router left no plan");
  let withoutThinking = false;
  for (;;) {
    const prepared = await prepareAttempt(exchange, services, target, { withoutThinking });
    if (prepared.type === "answered") return prepared.reply;
    const { model } = prepared;
    if (prepared.type === "mocked") return mock(exchange, { ...target, model }, services);
    if (prepared.type === "lacking") return countHere(exchange, target, services);
    const { sending } = prepared;
    const response = await attempt(exchange, { ...target, model }, sending.outbound, services);
    const hide = (text: string): string => services.redact(hideCredentials(text, exchange.caller.credentials));
    const { apiBase, provider } = target.deployment;
    const isKnown = (contentType: string): boolean => provider?.unframe?.(contentType) !== undefined;
    const unusable = await describeUnusable(response, { apiBase, isKnown, hide });
    if (unusable !== undefined) throw unusable;
    exchange.trace.add("call", "answered", { status: response.status, model, deployment: target.deployment.deploymentId });
    if (response.status < 400) {
      const reply = await readUpstreamReply(exchange, sending, response);
      exchange.reported = reply.reported;
      return reply;
    }
    if (exchange.operation === "count_tokens" && lacksCounting(response.status)) {
      await response.body.return();
      exchange.trace.add("call", "counted here: the upstream has no count_tokens", { status: response.status });
      return replyOf(exchange.ingress.encodeTokenCount(await services.countTokens(exchange)));
    }
    const refusal = await collectError(response);
    if (isClientsOwn(exchange, sending) && isReadable(refusal, sending)) {
      return readUpstreamReply(exchange, sending, asTold(refusal, sending));
    }
    const { error, retry } = readUpstreamError(refusal, sending, hide);
    if (retry !== "without-thinking" || withoutThinking) throw error;
    withoutThinking = true;
    exchange.trace.add("call", "asking again without the thinking that was sealed for it", { status: error.status });
  }
}

/** Whether the caller reads the upstream's own error. */
function isClientsOwn(exchange: Exchange, { format }: Sending): boolean {
  return format === "client" || (format === "hub" && exchange.ingress.translation === undefined);
}

/** @throws ProxyError 501 for anything but a count */
async function countHere(exchange: Exchange, { deployment }: PlannedTarget, services: CallServices): Promise<Reply> {
  if (exchange.operation !== "count_tokens") throw lacksOperation(exchange, deployment);
  exchange.trace.add("call", "counted here: the provider has no count_tokens");
  return replyOf(exchange.ingress.encodeTokenCount(await services.countTokens(exchange)));
}

async function mock(exchange: Exchange, { deployment, model }: PlannedTarget, services: CallServices): Promise<Reply> {
  if (exchange.operation === "embeddings") throw lacksOperation(exchange, deployment);
  const inputTokens = await services.countTokens(exchange);
  exchange.trace.add("call", "mocked", { model, deployment: deployment.deploymentId });
  if (exchange.operation === "count_tokens") return replyOf(exchange.ingress.encodeTokenCount(inputTokens));
  const { mockResponse = "" } = deployment;
  return replyOf(encodeText(mockResponse, { model, stream: exchange.facts.stream, inputTokens }), "hub");
}

/** One attempt; a token of a token source that was refused is fetched anew, once. */
async function attempt(exchange: Exchange, target: PlannedTarget, outbound: Outbound, services: CallServices): Promise<UpstreamResponse> {
  const { deployment, model } = target;
  const tokenSources = services.tokenSources(exchange.snapshot.config);
  const asked = { credentials: exchange.caller.credentials, dialect: exchange.dialect, tokenSources };
  const selected = await selectCredential(deployment, asked);
  exchange.trace.add("call", "sending", { deployment: deployment.deploymentId, model, credential: selected.source });
  const response = await sendOnce(exchange, target, outbound, selected, services.pools);
  if (response.status !== 401 || selected.source !== "token source") return response;

  await selected.tokens.invalidate(selected.token);
  const again = await selectCredential(deployment, asked).catch(() => undefined);
  if (again?.source !== "token source" || again.credential.value === selected.credential.value) return response;
  await response.body.return();
  exchange.trace.add("call", "token refused, trying a fresh one");
  return sendOnce(exchange, target, outbound, again, services.pools);
}

async function sendOnce(
  exchange: Exchange,
  { deployment, model }: PlannedTarget,
  outbound: Outbound,
  selected: Selected,
  pools: Pools,
): Promise<UpstreamResponse> {
  // Compressed streams would arrive in blocks, not in events.
  const plain: HeaderList = [...withExtra(outbound.headers, deployment.extraHeaders), ["accept-encoding", "identity"]];
  const { url: address, headers, body } = await withCredential({ ...outbound, headers: plain }, selected, exchange, deployment);
  const url = new URL(address);
  const record: Attempt = { deployment, model, reason: "first", startedAt: exchange.now(), status: undefined };
  exchange.attempts.push(record);
  const response = await send(pools.get(url.origin, exchange.snapshot.config), {
    method: "POST",
    path: url.pathname + url.search,
    headers,
    body,
    timeouts: deployment.timeouts,
    signal: exchange.signal,
    origin: url.origin,
  });
  record.status = response.status;
  return response;
}

async function withCredential(outbound: Outbound, selected: Selected, exchange: Exchange, deployment: Deployment): Promise<Outbound> {
  const { provider } = deployment;
  const { headers } = outbound;
  if (selected.source === "extra headers" || selected.source === "none") return outbound;
  if (selected.source === "caller") return { ...outbound, headers: [...headers, ...selected.headers] };
  if (selected.source === "key" || selected.source === "token source")
    return { ...outbound, headers: provider?.authorize(headers, selected.credential) ?? headers };
  if (provider?.sign === undefined) throw new Error(`the provider of "${deployment.deploymentId}" cannot sign`);
  return provider.sign(outbound, deployment, (name) => exchange.snapshot.config.variable(name));
}

function withExtra(headers: HeaderList, extra: Readonly<Record<string, string>>): HeaderList {
  const entries = Object.entries(extra).map(([name, value]) => [name.toLowerCase(), value] as const);
  if (entries.length === 0) return headers;
  return [...headers.filter(([name]) => !entries.some(([own]) => own === name)), ...entries];
}

/** What hosts that speak only the main part of a protocol answer to the rest of it. */
function lacksCounting(status: number): boolean {
  return status === 404 || status === 405 || status === 501;
}
