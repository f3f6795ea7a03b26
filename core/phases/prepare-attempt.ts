/** What one attempt sends: the request for its target, with what hooks change for this attempt alone. */

import type { RequestBody } from "../../sdk/body.ts";
import type { Outbound } from "../../sdk/dialect.ts";
import type { Exchange, PlannedTarget, Reply } from "../exchange.ts";
import { changeHeaders } from "./header-changes.ts";
import { type RequestHookServices, runPreUpstream } from "./request-hooks.ts";

export type PreparedAttempt =
  /** By a hook, in place of the upstream. */
  | { readonly type: "answered"; readonly reply: Reply }
  /** The deployment answers by itself. */
  | { readonly type: "mocked"; readonly model: string }
  | { readonly type: "outbound"; readonly outbound: Outbound; readonly model: string };

/** @throws ProxyError when a hook denies the request, or fails and its failure does */
export async function prepareAttempt(exchange: Exchange, services: RequestHookServices, target: PlannedTarget): Promise<PreparedAttempt> {
  const { userProgram, headerChanges } = exchange;
  if (userProgram === undefined || userProgram.hooks("preUpstream").length === 0) {
    return prepare(exchange, target, exchange.request, target.model);
  }
  const body = withModel(exchange.request, target.model);
  const planned = prepare(exchange, target, body, target.model);
  const headers = planned.type === "outbound" ? planned.outbound.headers : changeHeaders(exchange.headers.endToEnd, headerChanges);
  const changed = await runPreUpstream(exchange, services, userProgram, { target, body, headers });
  if (changed.reply !== undefined) return { type: "answered", reply: changed.reply };
  const asked = changed.body.value("model");
  const model = typeof asked === "string" && asked !== "" ? asked : target.model;
  const prepared = changed.body === body ? planned : prepare(exchange, target, changed.body, model);
  if (prepared.type !== "outbound") return prepared;
  const { outbound } = prepared;
  return { ...prepared, outbound: { ...outbound, headers: changeHeaders(outbound.headers, changed.headerChanges) } };
}

type Planned = Exclude<PreparedAttempt, { readonly type: "answered" }>;

function prepare(exchange: Exchange, { deployment }: PlannedTarget, body: RequestBody, model: string): Planned {
  if (deployment.mockResponse !== undefined) return { type: "mocked", model };
  const { provider, deploymentId, apiBase } = deployment;
  if (provider === undefined) throw new Error(`deployment "${deploymentId}" has no provider, yet it was planned`);
  const { operation, path, search, headers, headerChanges } = exchange;
  const outbound = provider.encode({ operation, body, path, search, headers: headers.endToEnd }, { deploymentId, model, apiBase });
  // A hook meant what it set, though the provider may hold back what clients send.
  return { type: "outbound", outbound: { ...outbound, headers: changeHeaders(outbound.headers, headerChanges) }, model };
}

function withModel(body: RequestBody, model: string): RequestBody {
  return body.value("model") === model ? body : body.edit([{ field: "model", value: model }]);
}
