/** Puts the credential on a request and sends it; a token of a token source that was refused is fetched anew, once. */

import type { Dialect, HeaderList } from "../../sdk/dialect.ts";
import type { Outbound } from "../../sdk/provider.ts";
import type { Config } from "../config/types.ts";
import { type Selected, selectCredential } from "../credentials/select.ts";
import type { Tokens } from "../credentials/token-source.ts";
import type { Attempt, AttemptReason, Exchange } from "../exchange.ts";
import type { AttemptAccount } from "../ledger/accounts.ts";
import type { Deployment } from "../routing/deployment.ts";
import type { PlannedTarget } from "../routing/leg.ts";
import type { Pools } from "../upstream/pools.ts";
import { type UpstreamResponse, send } from "../upstream/send.ts";
import { sendTimeouts } from "./send-timeouts.ts";

export interface TransmitServices {
  readonly pools: Pools;
  tokenSources(config: Config): ReadonlyMap<string, Tokens>;
}

/** Whose credential it was: what a caller's own login meets says nothing of the deployment. */
export type CredentialOwner = "own" | "shared";

export interface Transmission {
  readonly target: PlannedTarget;
  /** What it is asked in; its client's side knows what only keeps a stream alive. */
  readonly dialect: Dialect;
  readonly outbound: Outbound;
  readonly reason: AttemptReason;
  /** Told before anything is sent, and what came of it. */
  readonly account: AttemptAccount | undefined;
  /** Aborts this attempt. */
  readonly signal: AbortSignal;
}

export interface Transmitted {
  readonly response: UpstreamResponse;
  readonly credential: CredentialOwner;
}

/**
 * @throws ProxyError 401 when there is no credential, 502 or 504 when no response came
 * @throws the reason of the signal
 */
export async function transmit(exchange: Exchange, services: TransmitServices, transmission: Transmission): Promise<Transmitted> {
  const { deployment, model } = transmission.target;
  const tokenSources = services.tokenSources(exchange.snapshot.config);
  const asked = { credentials: exchange.caller.credentials, dialect: exchange.dialect, tokenSources };
  const selected = await selectCredential(deployment, asked);
  const credential = selected.source === "caller" ? "own" : "shared";
  exchange.trace.add("call", "sending", { deployment: deployment.deploymentId, model, credential: selected.source });
  const response = await sendOnce(exchange, services.pools, transmission, selected);
  if (response.status !== 401 || selected.source !== "token source") return { response, credential };

  await selected.tokens.invalidate(selected.token);
  const again = await selectCredential(deployment, asked).catch(() => undefined);
  if (again?.source !== "token source" || again.credential.value === selected.credential.value) return { response, credential };
  await response.body.return();
  exchange.trace.add("call", "token refused, trying a fresh one");
  return { response: await sendOnce(exchange, services.pools, transmission, again), credential };
}

async function sendOnce(
  exchange: Exchange,
  pools: Pools,
  { target: { deployment, model }, dialect: { ingress }, outbound, reason, account, signal }: Transmission,
  selected: Selected,
): Promise<UpstreamResponse> {
  // Compressed streams would arrive in blocks, not in events.
  const plain: HeaderList = [...withExtra(outbound.headers, deployment.extraHeaders), ["accept-encoding", "identity"]];
  const { url: address, headers, body } = await withCredential({ ...outbound, headers: plain }, selected, exchange, deployment);
  const url = new URL(address);
  const record: Attempt = { deployment, model, reason, startedAt: exchange.now(), status: undefined };
  const reserved = account?.reserve(model);
  if (reserved !== undefined) await reserved;
  exchange.attempts.push(record);
  const timeouts = sendTimeouts(deployment.timeouts, exchange);
  const response = await send(pools.get(url.origin, exchange.snapshot.config), {
    method: "POST",
    path: url.pathname + url.search,
    headers,
    body,
    timeouts,
    signal,
    origin: url.origin,
    onSentAgain() {
      // Nobody knows whether the first was read; whoever reads the books should know that there was one.
      exchange.attempts.push({ ...record, reason: "sent again" });
      exchange.trace.add("call", "sent again: the connection had been closed");
    },
    isKeepAlive: (chunk) => ingress?.isKeepAlive?.(chunk) === true,
  }).catch((error: unknown) => {
    account?.lost(error, signal.aborted);
    throw error;
  });
  record.status = response.status;
  account?.answered(response.status);
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
