/** A `Config` from the few things a test cares about. */

import type { Config, DeploymentConfig, LoadedConfig, Location, RuleEntry } from "../../core/config/types.ts";
import { defaultConnections } from "../../core/config/connections.ts";
import { defaultStores } from "../../core/config/stores.ts";
import { defaultRouter, defaultRouting, defaultTimeouts } from "../../core/config/router-types.ts";
import { noOptions, noParameters } from "../../core/config/unit-options.ts";

export const nowhere: Location = { file: "/config/config.yaml", line: 1, column: 1 };

export function deploymentConfig(
  overrides: Partial<DeploymentConfig> & { readonly group: string; readonly model: string },
): DeploymentConfig {
  return {
    id: `${overrides.group}-1`,
    provider: undefined,
    apiBase: undefined,
    apiKey: undefined,
    accounts: [],
    mockResponse: undefined,
    forwardClientAuth: false,
    extraHeaders: {},
    timeouts: defaultTimeouts,
    routing: defaultRouting,
    params: {},
    info: {},
    location: nowhere,
    ...overrides,
  };
}

export function ruleEntry(label: string, reference = "ccproxy.rules.ThinkingRule"): RuleEntry {
  return { label, reference, params: noParameters, options: noOptions, location: nowhere, locate: () => nowhere };
}

export function makeConfig(overrides: Partial<Config> = {}): Config {
  return {
    directory: "/config",
    files: ["/config/config.yaml"],
    server: {
      host: "127.0.0.1",
      port: 4000,
      graceMs: 1000,
      maxBodyBytes: 32 * 1024 * 1024,
      allowedHosts: [],
      localAuth: false,
      workers: 1,
    },
    log: { level: "info", maxBytes: 1_000_000, keep: 1 },
    masterKey: undefined,
    defaultModelPassthrough: undefined,
    rules: [],
    hooks: [],
    callbacks: [],
    autoload: false,
    record: false,
    deployments: [],
    aliases: new Map(),
    router: defaultRouter,
    connections: defaultConnections,
    stores: defaultStores,
    tokenSources: new Map(),
    environmentVariables: new Map(),
    variable: () => undefined,
    secrets: [],
    ...overrides,
  };
}

/** A configuration as the loader hands it over, without a fault. */
export function loadedConfig(overrides: Partial<Config> = {}): LoadedConfig {
  const config = makeConfig(overrides);
  return { config, draft: config, files: config.files, faults: [] };
}
