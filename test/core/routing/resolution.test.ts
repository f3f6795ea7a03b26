import { describe, expect, test } from "vitest";

import { type RouterConfig, defaultRouter, defaultTimeouts } from "../../../core/config/router-types.ts";
import type { Config, DeploymentConfig } from "../../../core/config/types.ts";
import { createRegistry } from "../../../core/registry.ts";
import { buildRoutes } from "../../../core/routing/build.ts";
import { resolveLeg } from "../../../core/routing/resolve-leg.ts";
import type { RouteTable } from "../../../core/routing/table.ts";
import { builtinPlugins } from "../../../plugins/index.ts";
import { deploymentConfig, makeConfig, nowhere } from "../../helpers/config.ts";

const registry = createRegistry(builtinPlugins);

function tableOf(overrides: Partial<Config>): RouteTable {
  return buildRoutes(makeConfig(overrides), registry).table;
}

/** An entry that is told from others by its id; `model` is never that of a vendor unless it says so. */
function entry(group: string, id: string, overrides: Partial<DeploymentConfig> = {}): DeploymentConfig {
  return deploymentConfig({ group, id, model: "openai/some", apiBase: "https://host.example/v1", apiKey: "sk-x", ...overrides });
}

function aliases(entries: Readonly<Record<string, string>>): Pick<Config, "aliases"> {
  return { aliases: new Map(Object.entries(entries).map(([alias, group]) => [alias, { group, hidden: false, location: nowhere }])) };
}

function withDefaults(...names: readonly string[]): Pick<Config, "router"> {
  const general: RouterConfig["fallbacks"]["general"] = new Map([["*", names.map((name) => ({ name, overrides: { max_tokens: 7 } }))]]);
  return { router: { ...defaultRouter, fallbacks: { ...defaultRouter.fallbacks, general } } };
}

/** `by`: ids. */
function found(table: RouteTable, name: string): string | undefined {
  const resolution = table.resolve(name);
  if (resolution === undefined) return undefined;
  return `${resolution.by} ${resolution.group}: ${resolution.deployments.map(({ deploymentId }) => deploymentId).join(" ")}`;
}

describe("of several things that are called alike, the first of LiteLLM's order is meant", () => {
  // Every one of them is called "x".
  const byId = entry("other", "x");
  const byAlias = entry("target", "t");
  const byGroup = [entry("x", "g1"), entry("x", "g2")];
  const byWildcard = entry("x*", "w");
  const byModel = entry("m", "m", { model: "x", provider: "openai" });

  test.each([
    [
      "a deployment's id",
      "deployment id other: x",
      { deployments: [byModel, byWildcard, ...byGroup, byAlias, byId], ...aliases({ x: "target" }) },
    ],
    ["an alias", "alias target: t", { deployments: [byModel, byWildcard, ...byGroup, byAlias], ...aliases({ x: "target" }) }],
    ["a group", "group x: g1 g2", { deployments: [byModel, byWildcard, ...byGroup] }],
    ["a wildcard", "wildcard x*: w", { deployments: [byModel, byWildcard] }],
    ["the model of an entry", "model m: m", { deployments: [byModel] }],
    ["a default fallback", "default fallback y: d", { deployments: [entry("y", "d")], ...withDefaults("y") }],
    ["nothing", undefined, { deployments: [entry("y", "d")] }],
  ])("%s", (_, wanted, config) => {
    expect(found(tableOf(config), "x")).toBe(wanted);
  });
});

describe("an alias", () => {
  test("is followed once", () => {
    const table = tableOf({ deployments: [entry("c", "c")], ...aliases({ a: "b", b: "c" }) });
    expect(found(table, "b")).toBe("alias c: c");
    expect(found(table, "a")).toBeUndefined();
  });

  test("may lead to a name that a wildcard takes", () => {
    const config = { deployments: [entry("openai/*", "w", { model: "openai/*" })], ...aliases({ a: "openai/gpt-x", b: "nobody/gpt-x" }) };
    const { table, faults } = buildRoutes(makeConfig(config), registry);
    expect(found(table, "a")).toBe("alias openai/*: w");
    expect(table.resolve("a")?.deployments[0]?.model).toBe("gpt-x");
    expect(faults.map(({ severity, message }) => `${severity}: ${message}`)).toEqual([
      'error: model_group_alias "b" points to "nobody/gpt-x", which is no model_name of model_list.',
    ]);
  });

  test("called like a group hides it, and is listed once", () => {
    const table = tableOf({ deployments: [entry("old", "o"), entry("new", "n")], ...aliases({ old: "new" }) });
    expect(found(table, "old")).toBe("alias new: n");
    expect(table.listed).toEqual(["old", "new"]);
  });
});

describe("a wildcard", () => {
  test("is found by provider and name, where the prefix is left out", () => {
    const table = tableOf({ deployments: [entry("anthropic/*", "w", { model: "anthropic/*" })] });
    expect(found(table, "claude-opus-9")).toBe("wildcard anthropic/*: w");
  });

  test("of any model of any provider goes to the provider that is named, and to nobody else", () => {
    const any = deploymentConfig({ group: "*", id: "any", model: "*" });
    const { table, faults } = buildRoutes(makeConfig({ deployments: [any] }), registry);
    expect(faults).toEqual([]);
    expect(table.resolve("openai/gpt-x")).toMatchObject({
      by: "wildcard",
      deployments: [{ deploymentId: "any", providerName: "openai", model: "gpt-x" }],
    });
    expect(table.resolve("claude-opus-9")?.deployments[0]).toMatchObject({ providerName: "anthropic", model: "claude-opus-9" });
    expect(table.resolve("nobody-knows-this")).toBeUndefined();
  });

  test("is not reached by its id, but is among all deployments", () => {
    const table = tableOf({ deployments: [entry("openai/*", "w", { model: "openai/*" }), entry("a", "one")] });
    expect(found(table, "w")).toBeUndefined();
    expect(table.entries().map(({ group, deployment }) => [group, deployment.deploymentId])).toEqual([
      ["openai/*", "w"],
      ["a", "one"],
    ]);
  });
});

test("the model of entries finds all of them, in whatever group, before a vendor's own", () => {
  const deployments = [
    entry("a", "a1", { model: "anthropic/claude-opus-9" }),
    entry("b", "b1", { model: "anthropic/claude-opus-9" }),
    entry("b", "b2"),
  ];
  expect(found(tableOf({ deployments }), "anthropic/claude-opus-9")).toBe("model a: a1 b1");
  expect(found(tableOf({ deployments }), "claude-opus-9")).toBe("pass-through claude-opus-9: pass-through:anthropic");
});

describe("a default fallback", () => {
  const deployments = [entry("a", "a1")];

  test("brings its fields along, under those of the one who asks", () => {
    const table = tableOf({ deployments, ...withDefaults("a") });
    expect(resolveLeg(table, { name: "unknown", overrides: {} })).toMatchObject({
      type: "leg",
      leg: { name: "unknown", group: "a", by: "default fallback", overrides: { max_tokens: 7 } },
    });
    expect(resolveLeg(table, { name: "unknown", overrides: { max_tokens: 9 } })).toMatchObject({ leg: { overrides: { max_tokens: 9 } } });
    expect(resolveLeg(table, { name: "a", overrides: {} })).toMatchObject({ leg: { by: "group", overrides: {} } });
  });

  test("that nobody serves is passed over, and ends nothing in a circle", () => {
    expect(found(tableOf({ deployments, ...withDefaults("gone", "a") }), "unknown")).toBe("default fallback a: a1");
    expect(found(tableOf({ deployments, ...withDefaults("gone") }), "unknown")).toBeUndefined();
  });

  test("does not stand in for a vendor's own model", () => {
    expect(found(tableOf({ deployments, ...withDefaults("a") }), "claude-opus-9")).toMatch(/^pass-through/);
  });

  test("does not make a name one that is served", () => {
    const table = tableOf({ deployments, ...withDefaults("a") });
    expect([table.serves("unknown"), table.serves("a"), table.serves("a1")]).toEqual([false, true, true]);
  });
});

test("a vendor's own model is waited for as router_settings says", () => {
  const timeouts = { ...defaultTimeouts, idleMs: 1234 };
  const table = tableOf({ router: { ...defaultRouter, timeouts } });
  expect(table.resolve("claude-opus-9")?.deployments[0]?.timeouts).toEqual(timeouts);
});
