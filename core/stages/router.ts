/** Turns label and model into the group that answers, and chooses who of it is asked first. */

import { ProxyError } from "../../sdk/errors.ts";
import type { Exchange } from "../exchange.ts";
import { defaultLabel } from "../routing/build.ts";
import type { Chooser } from "../routing/choice.ts";
import { aliased } from "../keys/access.ts";
import { resolveLeg } from "../routing/resolve-leg.ts";
import { allowedModels, checkAccess } from "./model-rights.ts";

export interface RouterServices {
  readonly chooser: Chooser;
}

/** @throws ProxyError 400 without a model, 404 for a model nobody serves, 501 for a protocol that is not spoken here */
export async function planRoute(exchange: Exchange, { chooser }: RouterServices): Promise<void> {
  const { snapshot, facts } = exchange;
  // What user code asks for by itself is the configuration's to allow.
  const holder = exchange.parent === undefined ? exchange.caller.holder : undefined;
  // A key's own names are for whoever holds it: a hook means what the configuration means.
  const isAsAsked = facts.model === exchange.modelAsked;
  const model = holder !== undefined && isAsAsked ? aliased(holder, facts.model) : facts.model;
  const name = exchange.label ?? labelOfUnmatched(exchange) ?? model;
  if (name === "") {
    throw new ProxyError('The request names no model: "model" must be a non-empty string.', { status: 400, kind: "invalid_request_error" });
  }
  const resolved = resolveLeg(snapshot.routes, { name, overrides: {} });
  // First of all: what there is besides is not for every key to know.
  if (holder !== undefined) {
    const meant = [...(isAsAsked ? [] : [facts.model]), name, ...(resolved.type === "leg" ? [resolved.leg.group] : [])];
    checkAccess(holder, { asked: exchange.modelAsked, meant }, exchange);
  }
  if (resolved.type === "unserved") throw resolved.error;
  if (resolved.type === "unknown") {
    const { routes } = snapshot;
    const listed = holder === undefined ? routes.listed : allowedModels(holder, routes);
    throw new ProxyError(unknownModel(name, exchange.labelledBy, listed), { status: 404, kind: "not_found_error" });
  }
  const { leg } = resolved;
  exchange.leg = leg;
  const choice = await chooser.choose({ exchange, leg, tried: new Map() });
  exchange.choice = choice;
  // Where nobody can be asked, a fallback may yet be: that is for the call to find out.
  if (choice.type === "target") exchange.target = choice.target;
  exchange.trace.add("router", "planned", {
    name,
    by: leg.by,
    group: leg.group,
    ...(choice.type === "none"
      ? { nobody: choice.error.message }
      : { model: choice.target.model, deployment: choice.target.deployment.deploymentId, chosenBy: choice.by, others: choice.others }),
  });
}

/**
 * Where a request goes that no rule matched: to the group `default` or, passing through, to the model it
 * names. Without an explicit setting the group decides by being there.
 */
function labelOfUnmatched(exchange: Exchange): string | undefined {
  const { config, routes } = exchange.snapshot;
  const passThrough = config.defaultModelPassthrough ?? !routes.hasGroup(defaultLabel);
  return passThrough ? undefined : defaultLabel;
}

function unknownModel(name: string, labelledBy: string | undefined, listed: readonly string[]): string {
  const known = listed.length === 0 ? "none is configured" : listed.join(", ");
  const source = labelledBy === undefined ? "" : ` (the label given by ${labelledBy})`;
  return `model: ${name}${source} is not served here. Configured models: ${known}. Add an entry with this model_name to model_list in config.yaml.`;
}
