import { describe, expect, test } from "vitest";

import { type NamedGroup, type RoutingParams, defaultRouter, defaultRouting } from "../../../core/config/router-types.ts";
import type { Config, DeploymentConfig, Fault } from "../../../core/config/types.ts";
import { createRegistry } from "../../../core/registry.ts";
import { buildRoutes } from "../../../core/routing/build.ts";
import { builtinPlugins } from "../../../plugins/index.ts";
import { deploymentConfig, makeConfig, nowhere, ruleEntry } from "../../helpers/config.ts";

const registry = createRegistry(builtinPlugins);
const at = { ...nowhere, line: 9, column: 3 };

function faultsOf(config: Partial<Config>): readonly Fault[] {
  return buildRoutes(makeConfig(config), registry).faults;
}

function messages(config: Partial<Config>): readonly string[] {
  return faultsOf(config).map(({ severity, message }) => `${severity}: ${message}`);
}

function entry(group: string, routing: Partial<RoutingParams> = {}, overrides: Partial<DeploymentConfig> = {}): DeploymentConfig {
  return deploymentConfig({ group, model: "openai/m", apiKey: "k", ...overrides, routing: { ...defaultRouting, ...routing } });
}

describe("a group that the settings name", () => {
  const config: Partial<Config> = {
    deployments: [entry("sonnet"), entry("openai/*", {}, { id: "wild", model: "openai/*" })],
    aliases: new Map([["smart", { group: "sonnet", hidden: true, location: nowhere }]]),
  };
  const named = (...groups: readonly Omit<NamedGroup, "location" | "path">[]): Partial<Config> => ({
    ...config,
    router: { ...defaultRouter, named: groups.map((group) => ({ ...group, location: at, path: "router_settings.fallbacks[0]" })) },
  });

  test.each(["sonnet", "smart", "sonnet-1", "openai/gpt-x", "claude-opus-9"])("may be %s", (name) => {
    expect(messages(named({ name, as: "source" }, { name, as: "target" }))).toEqual([]);
  });

  test("and nobody serves is told of with its place", () => {
    expect(faultsOf(named({ name: "sonet", as: "source" }, { name: "smat", as: "target" }, { name: "zzz", as: "target" }))).toEqual([
      {
        severity: "warning",
        ...at,
        path: "router_settings.fallbacks[0]",
        message:
          'names "sonet", which is no model_name, alias or id of model_list; what is said for it never counts. Did you mean "sonnet"?',
      },
      expect.objectContaining({
        message: 'names "smat", which is no model_name, alias or id of model_list; it is skipped. Did you mean "smart"?',
      }),
      expect.objectContaining({ message: 'names "zzz", which is no model_name, alias or id of model_list; it is skipped.' }),
    ]);
  });
});

describe("weights", () => {
  const mixed = [entry("g", { weight: 2 }), entry("g", {}, { id: "second", location: at })];

  test("of some of a group only are told of, at the first without", () => {
    expect(faultsOf({ deployments: mixed })).toEqual([
      {
        severity: "warning",
        ...at,
        message: '1 of 2 entries of the group "g" have no weight; beside the others they count as 0. Give all of them a weight, or none',
      },
    ]);
  });

  test("of all or none are not, nor where they do not count", () => {
    expect(messages({ deployments: [entry("g", { weight: 2 }), entry("g", { weight: 0 }, { id: "second" })] })).toEqual([]);
    expect(messages({ deployments: [entry("g"), entry("g", {}, { id: "second" })] })).toEqual([]);
    const router = { ...defaultRouter, strategy: { ...defaultRouter.strategy, name: "least-busy" } };
    expect(messages({ deployments: mixed, router })).toEqual([]);
  });
});

describe("an entry that only names another group", () => {
  const group = [entry("g", { weight: 3 }, { id: "a" }), entry("g", { weight: 1, order: 1, tags: ["own"] }, { id: "b" })];
  const label = (routing: Partial<RoutingParams>): DeploymentConfig => entry("label", routing, { model: "g", apiKey: undefined });
  const routingOf = (routing: Partial<RoutingParams>): unknown => {
    const { table } = buildRoutes(makeConfig({ deployments: [...group, label(routing)] }), registry);
    return table.resolve("label")?.deployments.map(({ routing: { weight, order, tags } }) => ({ weight, order, tags }));
  };

  test("shares its weight out as the group does", () => {
    expect(routingOf({ weight: 8 })).toMatchObject([{ weight: 6 }, { weight: 2 }]);
    expect(routingOf({})).toMatchObject([{ weight: 3 }, { weight: 1 }]);
  });

  test("has the last word on order and tags", () => {
    expect(routingOf({ order: 2, tags: ["free"] })).toMatchObject([
      { order: 2, tags: ["free"] },
      { order: 2, tags: ["free"] },
    ]);
    expect(routingOf({})).toMatchObject([
      { order: undefined, tags: [] },
      { order: 1, tags: ["own"] },
    ]);
  });

  test("is told what it cannot say", () => {
    const limits = { rpm: 1, tpm: 2, maxParallelRequests: 3, cooldownMs: 4, retries: 5 };
    expect(messages({ deployments: [...group, label({ ...limits, weight: 1, order: 1, tags: ["x"] })] })).toEqual([
      'warning: "label" only names the group "g", where rpm, tpm, max_parallel_requests, cooldown_time and num_retries must stand; here it has no effect',
    ]);
  });
});

test("an id that is a model_name, too, is told of, unless it makes no difference", () => {
  const alone = entry("g", {}, { id: "g" });
  expect(messages({ deployments: [alone] })).toEqual([]);
  expect(messages({ deployments: [alone, entry("g", {}, { id: "second" })] })).toEqual([
    'warning: the id "g" is a model_name, too; requests for it go to this deployment alone',
  ]);
});

test("a rule may lead to an alias", () => {
  const aliases: Config["aliases"] = new Map([["think", { group: "g", hidden: false, location: nowhere }]]);
  expect(messages({ deployments: [entry("g")], aliases, rules: [ruleEntry("think")] })).toEqual([]);
  expect(messages({ deployments: [entry("g")], aliases, rules: [ruleEntry("thnk")] })).toEqual([
    expect.stringContaining('Did you mean "think"?'),
  ]);
});
