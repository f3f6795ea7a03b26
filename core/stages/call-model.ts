/** A request that user code makes: through the router to an upstream, as the caller of the request it belongs to, and without user code. */

import type { Json } from "../../sdk/body.ts";
import { ProxyError } from "../../sdk/errors.ts";
import { createRequestBody } from "../body/request-body.ts";
import type { NestedCall, NestedRequest } from "../capabilities/nested-call.ts";
import { Exchange, type Outcome, type Reply } from "../exchange.ts";
import type { Services } from "../services.ts";
import { callUpstream } from "../attempts/run.ts";
import { Stopping } from "./ingress.ts";
import { type LedgerServices, keepAccounts, recordExchange } from "./ledger.ts";
import { planRoute } from "./router.ts";

export type NestedCallServices = LedgerServices &
  Pick<Services, "chooser" | "pools" | "tokenSources" | "countTokens" | "redact" | "open"> &
  Parameters<typeof callUpstream>[1];

const maxReplyBytes = 16 * 1024 * 1024;

/** @param services read at the first call: they hold what is made of this one */
export function createNestedCall(services: () => NestedCallServices): NestedCall {
  return (request, parent, signal) => callModel(request, parent, signal, services());
}

async function callModel(request: NestedRequest, parent: Exchange, signal: AbortSignal, services: NestedCallServices): Promise<Json> {
  const { snapshot, headers, now } = parent;
  const ingress = services.registry.hub;
  const exchange = new Exchange({
    snapshot,
    ingress,
    operation: "generate",
    path: "/v1/messages",
    search: "",
    headers,
    project: undefined,
    now,
    parent: parent.id,
  });
  keepAccounts(exchange, services, undefined);
  exchange.onSettled((settlement) => recordExchange(exchange, settlement, services));
  exchange.caller = parent.caller;
  const onAbort = (): void => exchange.abort(signal.reason instanceof Error ? signal.reason : new Error("aborted"));
  signal.addEventListener("abort", onAbort, { once: true });
  services.open.add(exchange);
  let status: number | undefined;
  let outcome: Outcome = "upstream-failed";
  let failure: unknown;
  const watch = ingress.watch("application/json");
  try {
    signal.throwIfAborted();
    exchange.receive(createRequestBody(encode(request)));
    exchange.labelBy({ label: request.group, rule: "callModel" });
    await planRoute(exchange, services);
    const reply = await callUpstream(exchange, services);
    ({ status } = reply);
    const bytes = await collect(reply);
    watch.push(bytes);
    if (status !== 200) throw refused(request.group, status);
    const message = parse(bytes, request.group);
    outcome = "completed";
    return message;
  } catch (error) {
    failure = error;
    if (exchange.signal.aborted) {
      outcome = exchange.signal.reason instanceof Stopping ? "stopped" : "client-gone";
      status ??= 499;
    }
    if (error instanceof ProxyError) status ??= error.status;
    throw error;
  } finally {
    signal.removeEventListener("abort", onAbort);
    services.open.delete(exchange);
    const summary = status === 200 ? watch.end() : undefined;
    exchange.settle({
      outcome,
      status: status ?? 500,
      summary,
      bytes: 0,
      firstByteMs: undefined,
      totalMs: exchange.now() - exchange.receivedAt,
      error: failure,
    });
  }
}

function encode({ group, messages, system, maxTokens }: NestedRequest): Uint8Array {
  const body = { model: group, max_tokens: maxTokens, ...(system === undefined ? {} : { system }), messages };
  return Buffer.from(JSON.stringify(body), "utf8");
}

async function collect(reply: Reply): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of reply.body) {
    length += chunk.length;
    if (length > maxReplyBytes)
      throw new ProxyError(`The reply is longer than ${maxReplyBytes} bytes.`, { status: 502, kind: "api_error" });
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function parse(bytes: Uint8Array, group: string): Json {
  try {
    const message: Json = JSON.parse(Buffer.from(bytes).toString("utf8"));
    return message;
  } catch {
    throw new ProxyError(`The upstream of "${group}" answered with something that is no JSON.`, { status: 502, kind: "api_error" });
  }
}

/** The upstream's own words stay in the log of this process: they may quote what user code should not see. */
function refused(group: string, status: number): ProxyError {
  return new ProxyError(`The upstream of "${group}" answered ${status}.`, { status: 502, kind: "api_error" });
}
