/** From a name to the deployments that can be asked under it. */

import { ProxyError } from "../../sdk/errors.ts";
import type { FallbackTarget } from "../config/router-types.ts";
import type { Leg } from "./leg.ts";
import type { Resolution, RouteTable } from "./table.ts";

export type ResolvedLeg =
  | { readonly type: "leg"; readonly leg: Leg }
  /** Nobody serves the name. */
  | { readonly type: "unknown" }
  /** Somebody does, but none of its deployments can be asked. */
  | { readonly type: "unserved"; readonly error: ProxyError };

export function resolveLeg(routes: RouteTable, { name, overrides }: FallbackTarget): ResolvedLeg {
  const resolution = routes.resolve(name);
  if (resolution === undefined) return { type: "unknown" };
  const deployments = resolution.deployments.filter(
    ({ provider, problem, mockResponse }) => (provider !== undefined && problem === undefined) || mockResponse !== undefined,
  );
  if (deployments.length === 0) {
    const options = { status: 501, kind: "not_supported", headers: { "x-should-retry": "false" } } as const;
    return { type: "unserved", error: new ProxyError(unserved(name, resolution), options) };
  }
  return {
    type: "leg",
    leg: { name, group: resolution.group, by: resolution.by, deployments, overrides: { ...resolution.overrides, ...overrides } },
  };
}

function unserved(name: string, resolution: Resolution): string {
  const [deployment] = resolution.deployments;
  const where = `model: ${name} leads to the deployment "${deployment?.deploymentId}" (${deployment?.providerName}/${deployment?.model})`;
  return deployment?.problem === undefined
    ? `${where}, whose provider is not served by this version of ccproxy.`
    : `${where}, which cannot be asked: ${deployment.problem}.`;
}
