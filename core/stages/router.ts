/** Turns label and model into the plan: the deployments to try, best first. */

import { ProxyError } from "../../sdk/errors.ts";
import type { Exchange } from "../exchange.ts";
import { defaultLabel } from "../routing/build.ts";
import type { Resolution } from "../routing/table.ts";

/** @throws ProxyError 400 without a model, 404 for a model nobody serves, 501 for a protocol that is not spoken here */
export function planRoute(exchange: Exchange): void {
  const { snapshot, facts } = exchange;
  const name = exchange.label ?? labelOfUnmatched(exchange) ?? facts.model;
  if (name === "") {
    throw new ProxyError('The request names no model: "model" must be a non-empty string.', { status: 400, kind: "invalid_request_error" });
  }
  const resolution = snapshot.routes.resolve(name);
  if (resolution === undefined)
    throw new ProxyError(unknownModel(name, exchange.labelledBy, snapshot.routes.listed), { status: 404, kind: "not_found_error" });
  const served = resolution.deployments.filter(
    ({ provider, problem, mockResponse }) => (provider !== undefined && problem === undefined) || mockResponse !== undefined,
  );
  if (served.length === 0)
    throw new ProxyError(unserved(name, resolution), { status: 501, kind: "not_supported", headers: { "x-should-retry": "false" } });
  const [first] = served;
  if (first === undefined) throw new Error("unreachable");
  exchange.leg = { name, group: resolution.group, by: resolution.by, deployments: served, overrides: {} };
  exchange.target = { group: resolution.group, deployment: first, model: first.model };
  exchange.trace.add("router", "planned", {
    name,
    by: resolution.by,
    group: resolution.group,
    model: served[0]?.model,
    deployment: served[0]?.deploymentId,
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

function unserved(name: string, resolution: Resolution): string {
  const [deployment] = resolution.deployments;
  const where = `model: ${name} leads to the deployment "${deployment?.deploymentId}" (${deployment?.providerName}/${deployment?.model})`;
  return deployment?.problem === undefined
    ? `${where}, whose provider is not served by this version of ccproxy.`
    : `${where}, which cannot be asked: ${deployment.problem}.`;
}
