/** Turns label and model into the group that answers, and chooses who of it is asked first. */

import { ProxyError } from "../../sdk/errors.ts";
import type { Exchange } from "../exchange.ts";
import { defaultLabel } from "../routing/build.ts";
import type { Chooser } from "../routing/choice.ts";
import { type KeyHolder, aliased, refuseModel } from "../keys/access.ts";
import type { ModelAsked } from "../keys/model-access.ts";
import type { Snapshot } from "../snapshot.ts";
import { refusedAccess } from "./auth.ts";
import { resolveLeg } from "../routing/resolve-leg.ts";

export interface RouterServices {
  readonly chooser: Chooser;
}

/** @throws ProxyError 400 without a model, 404 for a model nobody serves, 501 for a protocol that is not spoken here */
export async function planRoute(exchange: Exchange, { chooser }: RouterServices): Promise<void> {
  const { snapshot, facts, caller } = exchange;
  const model = caller.holder === undefined ? facts.model : aliased(caller.holder, facts.model);
  const name = exchange.label ?? labelOfUnmatched(exchange) ?? model;
  if (name === "") {
    throw new ProxyError('The request names no model: "model" must be a non-empty string.', { status: 400, kind: "invalid_request_error" });
  }
  const resolved = resolveLeg(snapshot.routes, { name, overrides: {} });
  if (resolved.type === "unserved") throw resolved.error;
  if (resolved.type === "unknown")
    throw new ProxyError(unknownModel(name, exchange.labelledBy, snapshot.routes.listed), { status: 404, kind: "not_found_error" });
  const { leg } = resolved;
  if (caller.holder !== undefined) checkAccess(caller.holder, [facts.model, name, leg.group], snapshot.routes);
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
 * A key that may have what was asked for may have what the configuration makes of it, and what it may have is not kept from it for the name
 * it was asked by. As in LiteLLM, the fallbacks of a group come with it.
 *
 * @throws ProxyError 401 in LiteLLM's words
 */
function checkAccess(holder: KeyHolder, names: readonly string[], routes: Snapshot["routes"]): void {
  const [refused, ...others] = [...new Set(names)].map((name) => refuseModel(holder, name, (each) => askedModel(each, routes)));
  if (refused === undefined || others.includes(undefined)) return;
  throw refusedAccess(refused);
}

function askedModel(name: string, routes: Snapshot["routes"]): ModelAsked {
  const deployments = routes.resolve(name)?.deployments ?? [];
  const [provider, ...others] = new Set(deployments.map(({ providerName }) => providerName));
  const accessGroups = deployments.flatMap(({ info }) => {
    const groups = info["access_groups"];
    return Array.isArray(groups) ? groups.filter((group) => typeof group === "string") : [];
  });
  return { name, provider: others.length === 0 ? provider : undefined, accessGroups };
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
