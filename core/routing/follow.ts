/** Entries of `model_list` that only name another group: they stand for the deployments of that group. */

import type { DeploymentConfig, Fault } from "../config/types.ts";
import type { RoutingParams } from "../config/router-types.ts";
import { fault } from "./fault.ts";

export type ByGroup = ReadonlyMap<string, readonly DeploymentConfig[]>;

/** Whether it has nothing of its own: no base, no key, no mock. */
export function isAlias(entry: DeploymentConfig, byGroup: ByGroup): boolean {
  return (
    entry.model !== entry.group &&
    byGroup.has(entry.model) &&
    entry.apiBase === undefined &&
    entry.apiKey === undefined &&
    entry.mockResponse === undefined
  );
}

/**
 * An entry that only names another group (`model_name: think`, `model: claude-opus-5-5`) stands for that
 * group's deployments. One that has a base, key or mock of its own is a deployment, whatever its name.
 */
export function follow(
  entry: DeploymentConfig,
  byGroup: ByGroup,
  faults: Fault[],
  seen: readonly string[] = [],
): readonly DeploymentConfig[] {
  if (!isAlias(entry, byGroup)) return [entry];
  if (seen.includes(entry.group)) {
    const circle = [...seen.slice(seen.indexOf(entry.group)), entry.group].join(" → ");
    if (seen[0] === entry.group)
      faults.push(
        fault(
          "error",
          entry.location,
          `model_list entries name each other in a circle: ${circle}; let one of them name a provider's model`,
        ),
      );
    return [];
  }
  const named = byGroup.get(entry.model) ?? [];
  const found = named.flatMap((next) => follow(next, byGroup, faults, [...seen, entry.group]));
  return found.map((each) => ({ ...each, routing: asNamed(each.routing, entry.routing, found) }));
}

/** What the entry says of its own place in the group: its weight is shared out among those it stands for, by their weights. */
function asNamed(routing: RoutingParams, { weight, order, tags }: RoutingParams, all: readonly DeploymentConfig[]): RoutingParams {
  const total = all.reduce((sum, each) => sum + (each.routing.weight ?? 1), 0);
  return {
    ...routing,
    weight: weight === undefined ? routing.weight : (weight * (routing.weight ?? 1)) / (total === 0 ? 1 : total),
    order: order ?? routing.order,
    tags: tags.length === 0 ? routing.tags : tags,
  };
}

/** Keys of an entry that only names a group, which have no effect there: they are about one deployment, wherever it is asked from. */
export function keysWithoutEffect({ routing }: DeploymentConfig): readonly string[] {
  const { rpm, tpm, maxParallelRequests, cooldownMs, retries } = routing;
  const values = { rpm, tpm, max_parallel_requests: maxParallelRequests, cooldown_time: cooldownMs, num_retries: retries };
  return Object.entries(values).flatMap(([key, value]) => (value === undefined ? [] : [key]));
}
