/** What one attempt sends: the request for its target, with what hooks change for this attempt alone. */

import type { RequestBody } from "../../sdk/body.ts";
import type { Exchange, Reply } from "../exchange.ts";
import type { PlannedTarget } from "../routing/leg.ts";
import type { Registry } from "../registry.ts";
import { withModel as deploymentWithModel } from "../routing/deployment.ts";
import { type Sending, encodeAttempt } from "../translation/encode-attempt.ts";
import { changeHeaders } from "./header-changes.ts";
import { type RequestHookServices, runPreUpstream } from "./request-hooks.ts";

export type PreparedAttempt =
  /** By a hook, in place of the upstream. */
  | { readonly type: "answered"; readonly reply: Reply }
  /** The deployment answers by itself. */
  | { readonly type: "mocked"; readonly model: string }
  /** The upstream has no such operation. */
  | { readonly type: "lacking"; readonly model: string }
  | { readonly type: "sending"; readonly sending: Sending; readonly model: string };

export interface PrepareServices extends RequestHookServices {
  readonly registry: Registry;
}

/** What is sent in place of what the exchange holds. */
export interface PrepareOptions {
  readonly withoutThinking?: boolean;
  /** In place of the exchange's own: a request of the hub. */
  readonly body?: RequestBody | undefined;
}

/** @throws ProxyError when a hook denies the request, or fails and its failure does */
export async function prepareAttempt(
  exchange: Exchange,
  services: PrepareServices,
  target: PlannedTarget,
  options: PrepareOptions = {},
): Promise<PreparedAttempt> {
  const prepare = preparer(exchange, services.registry, options.withoutThinking === true);
  const { userProgram, headerChanges } = exchange;
  if (userProgram === undefined || userProgram.hooks("preUpstream").length === 0) {
    return prepare(target, options.body, target.model);
  }
  const body = withModel(options.body ?? exchange.request, target.model);
  const planned = prepare(target, options.body, target.model);
  const headers = planned.type === "sending" ? planned.sending.outbound.headers : changeHeaders(exchange.headers.endToEnd, headerChanges);
  const changed = await runPreUpstream(exchange, services, userProgram, { target, body, headers });
  if (changed.reply !== undefined) return { type: "answered", reply: changed.reply };
  const asked = changed.body.value("model");
  const model = typeof asked === "string" && asked !== "" ? asked : target.model;
  const prepared = changed.body === body ? planned : prepare(target, changed.body, model);
  if (prepared.type !== "sending") return prepared;
  const { sending } = prepared;
  const { outbound } = sending;
  const headed = { ...outbound, headers: changeHeaders(outbound.headers, changed.headerChanges) };
  return { ...prepared, sending: { ...sending, outbound: headed } };
}

type Planned = Exclude<PreparedAttempt, { readonly type: "answered" }>;

type Prepare = (target: PlannedTarget, body: RequestBody | undefined, model: string) => Planned;

function preparer(exchange: Exchange, registry: Registry, withoutThinking: boolean): Prepare {
  return ({ deployment }, body, model) => {
    if (deployment.mockResponse !== undefined) return { type: "mocked", model };
    const sending = encodeAttempt(exchange, deploymentWithModel(deployment, model), registry, { body, withoutThinking });
    if (sending === undefined) return { type: "lacking", model };
    const { outbound } = sending;
    // A hook meant what it set, though the provider may hold back what clients send.
    const headed = { ...outbound, headers: changeHeaders(outbound.headers, exchange.headerChanges) };
    return { type: "sending", sending: { ...sending, outbound: headed }, model };
  };
}

function withModel(body: RequestBody, model: string): RequestBody {
  return body.value("model") === model ? body : body.edit([{ field: "model", value: model }]);
}
