import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import { type RoutingParams, defaultRouting } from "../../../core/config/router-types.ts";
import type { AccountConfig, DeploymentConfig } from "../../../core/config/types.ts";
import { createRegistry } from "../../../core/registry.ts";
import { expandAccounts } from "../../../core/routing/accounts.ts";
import { type BuiltRoutes, buildRoutes } from "../../../core/routing/build.ts";
import { builtinPlugins } from "../../../plugins/index.ts";
import { deploymentConfig, makeConfig } from "../../helpers/config.ts";

const registry = createRegistry(builtinPlugins);

function build(...deployments: readonly DeploymentConfig[]): BuiltRoutes {
  return buildRoutes(makeConfig({ deployments }), registry);
}

function keys(...values: readonly string[]): readonly AccountConfig[] {
  return values.map((apiKey) => ({ apiKey, organization: undefined }));
}

function entry(id: string, overrides: Partial<DeploymentConfig> = {}, routing: Partial<RoutingParams> = {}): DeploymentConfig {
  const several = { apiKey: overrides.accounts?.[0]?.apiKey ?? "k" };
  return deploymentConfig({ group: "g", id, model: "openai/m", ...several, ...overrides, routing: { ...defaultRouting, ...routing } });
}

const three = entry("x", { accounts: keys("k1", "k2", "k3"), params: { model: "openai/m", api_keys: ["k1", "k2", "k3"], api_key: ["?"] } });

describe("an entry with several keys", () => {
  test("is one deployment for each, with an id and an account of its own, and nothing of the others", () => {
    const deployments = build(three).table.resolve("g")?.deployments ?? [];
    expect(deployments.map(({ deploymentId, apiKey, params }) => [deploymentId, apiKey, params])).toEqual([
      ["x", "k1", { model: "openai/m", api_key: "k1" }],
      ["x~2", "k2", { model: "openai/m", api_key: "k2" }],
      ["x~3", "k3", { model: "openai/m", api_key: "k3" }],
    ]);
    expect(new Set(deployments.map(({ account }) => account)).size).toBe(3);
  });

  test("is reached as a whole by its id, and key by key by theirs", () => {
    const { table } = build(three, entry("y"));
    const idsOf = (name: string): unknown => table.resolve(name)?.deployments.map(({ deploymentId }) => deploymentId);
    expect(idsOf("x")).toEqual(["x", "x~2", "x~3"]);
    expect(idsOf("x~2")).toEqual(["x~2"]);
    expect(idsOf("x~4")).toBeUndefined();
    expect(table.entries().map(({ deployment }) => deployment.deploymentId)).toEqual(["x", "x~2", "x~3", "y"]);
  });

  test("shows which key is meant, and no key", () => {
    const [row] = build(three, entry("y")).table.describe();
    expect(row?.deployments.map(({ id, key }) => [id, key])).toEqual([
      ["x", "1 of 3"],
      ["x~2", "2 of 3"],
      ["x~3", "3 of 3"],
      ["y", undefined],
    ]);
    expect(JSON.stringify(row)).not.toMatch(/"k\d"/);
  });

  test("is told of once when it cannot be asked", () => {
    const { faults } = build({ ...three, model: "nobody/m" });
    expect(faults).toHaveLength(1);
  });

  test("sends each organization with its key", () => {
    const accounts = [
      { apiKey: "k", organization: "o1" },
      { apiKey: "k", organization: "o2" },
    ];
    const deployments = build(entry("x", { accounts, params: { organization: ["o1", "o2"] } })).table.resolve("g")?.deployments ?? [];
    expect(deployments.map(({ params }) => params)).toEqual([
      { api_key: "k", organization: "o1" },
      { api_key: "k", organization: "o2" },
    ]);
  });

  test("must leave the ids of its keys to them", () => {
    const { faults } = build(three, entry("x~2"));
    expect(faults.map(({ severity, message }) => `${severity}: ${message}`)).toEqual([
      'error: the id "x~2" is that of key 2 of the entry "x"; give this one another id',
    ]);
  });

  test("stands for all its keys where another entry names its group", () => {
    const { table } = build(three, deploymentConfig({ group: "label", model: "g" }));
    expect(table.resolve("label")?.deployments).toHaveLength(3);
  });
});

describe("the balance of a group", () => {
  const sharesOf = (...entries: readonly DeploymentConfig[]): unknown =>
    expandAccounts(entries).map(({ configs }) => configs.map(({ routing }) => routing.weight));
  const two = keys("a", "b");

  test("stays as its weights say", () => {
    expect(sharesOf(entry("x", { accounts: two }, { weight: 3 }), entry("y", {}, { weight: 1 }))).toEqual([[1.5, 1.5], [1]]);
  });

  test("stays even where nothing is said, and untouched where nobody has several keys", () => {
    expect(sharesOf(entry("x", { accounts: two }), entry("y"))).toEqual([[0.5, 0.5], [1]]);
    expect(sharesOf(entry("x"), entry("y"))).toEqual([[undefined], [undefined]]);
  });

  test("is left to rpm and tpm, which hold for each key", () => {
    expect(sharesOf(entry("x", { accounts: two }, { rpm: 10 }), entry("y"))).toEqual([[undefined, undefined], [undefined]]);
    expect(expandAccounts([entry("x", { accounts: two }, { rpm: 10, tpm: 5 })])[0]?.configs[1]?.routing).toMatchObject({ rpm: 10, tpm: 5 });
  });

  test("never depends on how many keys an entry has", () => {
    const weights = fc.array(fc.record({ weight: fc.integer({ min: 0, max: 100 }), count: fc.integer({ min: 1, max: 5 }) }), {
      minLength: 1,
      maxLength: 5,
    });
    fc.assert(
      fc.property(weights, (entries) => {
        const configs = entries.map(({ weight, count }, index) => {
          const accounts = count === 1 ? [] : keys(...Array.from({ length: count }, (_, number) => `k${number}`));
          return entry(`e${index}`, { accounts }, { weight });
        });
        for (const [index, { configs: expanded }] of expandAccounts(configs).entries()) {
          const total = expanded.reduce((sum, { routing }) => sum + (routing.weight ?? Number.NaN), 0);
          expect(total).toBeCloseTo(entries[index]?.weight ?? Number.NaN);
          expect(expanded).toHaveLength(entries[index]?.count ?? 0);
        }
      }),
    );
  });
});
