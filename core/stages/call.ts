/** Sends the request to the planned deployment and makes the reply out of what comes back. */

import type { Credential, HeaderList, Outbound } from "../../sdk/dialect.ts";
import type { Config } from "../config/types.ts";
import { hideCredentials } from "../credentials/hide.ts";
import { type Selected, selectCredential } from "../credentials/select.ts";
import type { Tokens } from "../credentials/token-source.ts";
import { type Attempt, type Exchange, type PlannedTarget, type Reply, replyOf } from "../exchange.ts";
import { prepareAttempt } from "../phases/prepare-attempt.ts";
import type { RequestHookServices } from "../phases/request-hooks.ts";
import { canDecode, decode } from "../upstream/decode.ts";
import { headerValue } from "../upstream/headers.ts";
import { describeUnusable } from "../upstream/unusable.ts";
import type { Pools } from "../upstream/pools.ts";
import { type UpstreamResponse, send } from "../upstream/send.ts";

export interface CallServices extends RequestHookServices {
  readonly pools: Pools;
  tokenSources(config: Config): ReadonlyMap<string, Tokens>;
}

/** @throws ProxyError when no upstream answered; an upstream's own error is a reply like any other */
export async function callUpstream(exchange: Exchange, services: CallServices): Promise<Reply> {
  const target = exchange.plan[0];
  if (target === undefined) throw new Error("the router left no plan");
  const { deployment } = target;
  const prepared = await prepareAttempt(exchange, services, target);
  if (prepared.type === "answered") return prepared.reply;
  const { model } = prepared;
  if (prepared.type === "mocked") return mock(exchange, { ...target, model }, services);
  const response = await attempt(exchange, { ...target, model }, prepared.outbound, services);
  const hide = (text: string): string => services.redact(hideCredentials(text, exchange.caller.credentials));
  const unusable = await describeUnusable(response, { apiBase: deployment.apiBase, hide });
  if (unusable !== undefined) throw unusable;
  if (exchange.operation === "count_tokens" && lacksOperation(response.status)) {
    await response.body.return();
    exchange.trace.add("call", "counted here: the upstream has no count_tokens", { status: response.status });
    return replyOf(exchange.ingress.encodeTokenCount(await services.countTokens(exchange)));
  }
  exchange.trace.add("call", "answered", { status: response.status, model, deployment: deployment.deploymentId });
  return toReply(exchange, response);
}

async function mock(exchange: Exchange, { deployment, model }: PlannedTarget, services: CallServices): Promise<Reply> {
  const inputTokens = await services.countTokens(exchange);
  exchange.trace.add("call", "mocked", { model, deployment: deployment.deploymentId });
  if (exchange.operation === "count_tokens") return replyOf(exchange.ingress.encodeTokenCount(inputTokens));
  const { mockResponse = "" } = deployment;
  return replyOf(exchange.ingress.encodeText(mockResponse, { model, stream: exchange.facts.stream, inputTokens }));
}

/** One attempt; a token of a token source that was refused is fetched anew, once. */
async function attempt(exchange: Exchange, target: PlannedTarget, outbound: Outbound, services: CallServices): Promise<UpstreamResponse> {
  const { deployment, model } = target;
  const { provider } = deployment;
  if (provider === undefined) throw new Error(`deployment "${deployment.deploymentId}" has no provider, yet it was planned`);
  const tokenSources = services.tokenSources(exchange.snapshot.config);
  const selected = await selectCredential(deployment, exchange.caller.credentials, tokenSources);
  exchange.trace.add("call", "sending", { deployment: deployment.deploymentId, model, credential: selected.source });
  const authorize = (headers: HeaderList, credential: Credential): HeaderList => provider.authorize(headers, credential);
  const response = await sendOnce(exchange, target, outbound, selected, authorize, services.pools);
  if (response.status !== 401 || selected.source !== "token source") return response;

  await selected.tokens.invalidate(selected.token);
  const again = await selectCredential(deployment, exchange.caller.credentials, tokenSources).catch(() => undefined);
  if (again?.source !== "token source" || again.credential.value === selected.credential.value) return response;
  await response.body.return();
  exchange.trace.add("call", "token refused, trying a fresh one");
  return sendOnce(exchange, target, outbound, again, authorize, services.pools);
}

async function sendOnce(
  exchange: Exchange,
  { deployment, model }: PlannedTarget,
  outbound: Outbound,
  selected: Selected,
  authorize: (headers: HeaderList, credential: Credential) => HeaderList,
  pools: Pools,
): Promise<UpstreamResponse> {
  const url = new URL(outbound.url);
  // Compressed streams would arrive in blocks, not in events.
  const plain: HeaderList = [...withExtra(outbound.headers, deployment.extraHeaders), ["accept-encoding", "identity"]];
  const headers = withCredential(plain, selected, authorize);
  const record: Attempt = { deployment, model, startedAt: exchange.now(), status: undefined };
  exchange.attempts.push(record);
  const response = await send(pools.get(url.origin, deployment.timeouts.connectMs), {
    method: "POST",
    path: url.pathname + url.search,
    headers,
    body: outbound.body,
    timeouts: deployment.timeouts,
    signal: exchange.signal,
    origin: url.origin,
  });
  record.status = response.status;
  return response;
}

function withCredential(
  headers: HeaderList,
  selected: Selected,
  authorize: (headers: HeaderList, credential: Credential) => HeaderList,
): HeaderList {
  if (selected.source === "extra headers") return headers;
  if (selected.source === "caller") return [...headers, ...selected.headers];
  return authorize(headers, selected.credential);
}

function withExtra(headers: HeaderList, extra: Readonly<Record<string, string>>): HeaderList {
  const entries = Object.entries(extra).map(([name, value]) => [name.toLowerCase(), value] as const);
  if (entries.length === 0) return headers;
  return [...headers.filter(([name]) => !entries.some(([own]) => own === name)), ...entries];
}

/** What hosts that speak only the main part of a protocol answer to the rest of it. */
function lacksOperation(status: number): boolean {
  return status === 404 || status === 405 || status === 501;
}

async function toReply(exchange: Exchange, { status, headers, body }: UpstreamResponse): Promise<Reply> {
  const isEventStream = headerValue(headers, "content-type")?.toLowerCase().startsWith("text/event-stream") ?? false;
  const encoding = headerValue(headers, "content-encoding")?.trim().toLowerCase() ?? "";
  const isPlain = encoding === "" || encoding === "identity";
  // What the caller would decode was asked of nobody; a coding unknown here may still be known there.
  if (isPlain || (!isEventStream && !canDecode(encoding))) {
    // To a stream a ping or an error may yet be added, so its length is not known.
    return { status, headers: isEventStream ? without(headers, "content-length") : headers, body, isEventStream };
  }
  if (!canDecode(encoding)) await body.return();
  const decoded = decode(body, encoding);
  exchange.trace.add("call", "decoded", { encoding });
  return { status, headers: without(without(headers, "content-encoding"), "content-length"), body: decoded, isEventStream };
}

function without(headers: HeaderList, name: string): HeaderList {
  return headers.filter(([candidate]) => candidate !== name);
}
