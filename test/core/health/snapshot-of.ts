/** A snapshot out of the few deployments a test is about. */

import type { DeploymentConfig } from "../../../core/config/types.ts";
import { defaultRouter, defaultRouting, type HealthConfig, type RoutingParams } from "../../../core/config/router-types.ts";
import { createRegistry, type Registry } from "../../../core/registry.ts";
import { buildSnapshot, type Snapshot, withoutUserCode } from "../../../core/snapshot.ts";
import { builtinPlugins } from "../../../plugins/index.ts";
import { deploymentConfig, loadedConfig } from "../../helpers/config.ts";

const registry: Registry = createRegistry(builtinPlugins);

type Overrides = Partial<Omit<DeploymentConfig, "routing">> & {
  readonly health?: Partial<RoutingParams["health"]>;
  readonly routing?: Partial<RoutingParams>;
};

/** A deployment with a key of its own, in a group of its own unless said otherwise. */
export function target(id: string, { health, routing, ...overrides }: Overrides = {}): DeploymentConfig {
  return deploymentConfig({
    id,
    group: id,
    model: "anthropic/claude-haiku-5-5",
    apiBase: `http://${id}.test`,
    apiKey: `key of ${id}`,
    routing: { ...defaultRouting, ...routing, health: { ...defaultRouting.health, ...health } },
    ...overrides,
  });
}

export async function snapshotOf(deployments: readonly DeploymentConfig[], health: Partial<HealthConfig> = {}): Promise<Snapshot> {
  const router = { ...defaultRouter, health: { ...defaultRouter.health, background: true, ...health } };
  const loaded = loadedConfig({ deployments, router });
  const { snapshot, faults } = await buildSnapshot(loaded, { registry, loadUserProgram: withoutUserCode }, 1, new Date());
  if (snapshot === undefined) throw new Error(JSON.stringify(faults));
  return snapshot;
}
