import { describe, expect, test } from "vitest";

import type { Config, Fault } from "../../../core/config/types.ts";
import { createRegistry } from "../../../core/registry.ts";
import { buildRoutes } from "../../../core/routing/build.ts";
import type { RouteTable } from "../../../core/routing/table.ts";
import { builtinPlugins } from "../../../plugins/index.ts";
import type { Provider } from "../../../sdk/provider.ts";
import { smallPlugin } from "../../helpers/small-dialect.ts";
import { deploymentConfig, makeConfig, nowhere, ruleEntry } from "../../helpers/config.ts";

const registry = createRegistry(builtinPlugins);

function build(overrides: Partial<Config>): { table: RouteTable; faults: readonly Fault[] } {
  return buildRoutes(makeConfig(overrides), registry);
}

function errorsOf(overrides: Partial<Config>): readonly string[] {
  return build(overrides)
    .faults.filter(({ severity }) => severity === "error")
    .map(({ message }) => message);
}

/** The model and base of the first deployment a name resolves to. */
function resolve(table: RouteTable, name: string): { by: string; model: string | undefined; apiBase: string | undefined } | undefined {
  const resolution = table.resolve(name);
  return resolution && { by: resolution.by, model: resolution.deployments[0]?.model, apiBase: resolution.deployments[0]?.apiBase };
}

const opus = deploymentConfig({ group: "claude-opus-5-5", model: "anthropic/claude-opus-5-5", apiBase: "https://api.anthropic.com" });

describe("a name resolves", () => {
  test("to its own group, with the provider prefix taken off", () => {
    const { table } = build({ deployments: [opus] });
    expect(resolve(table, "claude-opus-5-5")).toEqual({ by: "group", model: "claude-opus-5-5", apiBase: "https://api.anthropic.com" });
  });

  test("through an entry that only names another group", () => {
    const { table, faults } = build({ deployments: [deploymentConfig({ group: "think", model: "claude-opus-5-5" }), opus] });
    expect(faults).toEqual([]);
    expect(resolve(table, "think")).toMatchObject({ by: "group", model: "claude-opus-5-5" });
    expect(table.resolve("think")?.deployments[0]?.deploymentId).toBe(opus.id);
  });

  test("through several such entries", () => {
    const deployments = [deploymentConfig({ group: "a", model: "b" }), deploymentConfig({ group: "b", model: "claude-opus-5-5" }), opus];
    expect(resolve(build({ deployments }).table, "a")).toMatchObject({ model: "claude-opus-5-5" });
  });

  test("to a deployment of its own when the entry has a base, although its model names another group", () => {
    const own = deploymentConfig({ group: "think", model: "claude-opus-5-5", apiBase: "https://other.example" });
    expect(resolve(build({ deployments: [own, opus] }).table, "think")).toMatchObject({ apiBase: "https://other.example" });
  });

  test("to itself when model and model_name are the same", () => {
    const { table, faults } = build({ deployments: [deploymentConfig({ group: "claude-x", model: "claude-x" })] });
    expect(faults).toEqual([]);
    expect(resolve(table, "claude-x")).toMatchObject({ by: "group", model: "claude-x", apiBase: "https://api.anthropic.com" });
  });

  test("to all deployments of a group, in order", () => {
    const second = deploymentConfig({ group: opus.group, id: "second", model: "anthropic/claude-opus-5-5", apiBase: "https://b.example" });
    const resolution = build({ deployments: [opus, second] }).table.resolve("claude-opus-5-5");
    expect(resolution?.deployments.map(({ apiBase }) => apiBase)).toEqual(["https://api.anthropic.com", "https://b.example"]);
  });

  test("through model_group_alias", () => {
    const { table } = build({ deployments: [opus], aliases: new Map([["smart", { group: opus.group, hidden: true, location: nowhere }]]) });
    expect(resolve(table, "smart")).toMatchObject({ by: "alias", model: "claude-opus-5-5" });
    expect(table.listed).not.toContain("smart");
  });

  test("by the id of a deployment", () => {
    expect(resolve(build({ deployments: [opus] }).table, opus.id)).toMatchObject({ by: "deployment id" });
  });

  test("through a wildcard whose star is filled in", () => {
    const { table } = build({
      deployments: [deploymentConfig({ group: "anthropic/*", model: "anthropic/*", apiBase: "https://w.example" })],
    });
    expect(resolve(table, "anthropic/claude-new")).toEqual({ by: "wildcard", model: "claude-new", apiBase: "https://w.example" });
  });

  test("through a vendor's wildcard without the vendor's prefix", () => {
    const { table } = build({
      deployments: [deploymentConfig({ group: "anthropic/*", model: "anthropic/*", apiBase: "https://w.example" })],
    });
    expect(resolve(table, "claude-new")).toMatchObject({ by: "wildcard", model: "claude-new" });
  });

  test("to the most specific wildcard", () => {
    const deployments = [
      deploymentConfig({ group: "*", id: "any", model: "anthropic/*", apiBase: "https://any.example" }),
      deploymentConfig({ group: "claude-opus-*", id: "opus", model: "anthropic/claude-opus-*", apiBase: "https://opus.example" }),
    ];
    const { table } = build({ deployments });
    expect(resolve(table, "claude-opus-9")).toMatchObject({ apiBase: "https://opus.example", model: "claude-opus-9" });
    expect(resolve(table, "claude-haiku-9")).toMatchObject({ apiBase: "https://any.example", model: "claude-haiku-9" });
  });

  test("to the vendor itself for a vendor's model that nobody configured", () => {
    expect(resolve(build({}).table, "claude-unheard-of")).toEqual({
      by: "pass-through",
      model: "claude-unheard-of",
      apiBase: "https://api.anthropic.com",
    });
    expect(resolve(build({}).table, "anthropic/claude-unheard-of")).toMatchObject({ by: "pass-through", model: "claude-unheard-of" });
  });

  test("to nothing for a model nobody knows", () => {
    expect(build({ deployments: [opus] }).table.resolve("nobody-6-sol")).toBeUndefined();
    expect(build({}).table.resolve("anthropic/gpt")).toBeUndefined();
  });

  test("for the alias under which Claude Code can pick a group it would ignore", () => {
    const glm = deploymentConfig({ group: "glm-5", model: "anthropic/glm-5", apiBase: "https://glm.example" });
    expect(resolve(build({ deployments: [glm] }).table, "claude-glm-5")).toMatchObject({ by: "alias", model: "glm-5" });
  });

  test("never for such an alias when a group of that name exists", () => {
    const deployments = [
      deploymentConfig({ group: "glm-5", model: "anthropic/glm-5", apiBase: "https://glm.example" }),
      deploymentConfig({ group: "claude-glm-5", id: "own", model: "anthropic/own", apiBase: "https://own.example" }),
    ];
    expect(resolve(build({ deployments }).table, "claude-glm-5")).toMatchObject({ by: "group", model: "own" });
  });
});

describe("what cannot work is said", () => {
  test("a label without an entry is an error with a suggestion", () => {
    const [message] = errorsOf({
      deployments: [deploymentConfig({ group: "thinking", model: "claude-x" })],
      rules: [ruleEntry("thinkng")],
    });
    expect(message).toContain('no entry with model_name "thinkng"');
    expect(message).toContain('Did you mean "thinking"?');
  });

  test("entries that name each other in a circle are an error", () => {
    const deployments = [deploymentConfig({ group: "a", model: "b" }), deploymentConfig({ group: "b", model: "a" })];
    expect(errorsOf({ deployments })[0]).toContain("a → b → a");
  });

  test("an alias to a group that is not there is an error", () => {
    expect(errorsOf({ aliases: new Map([["x", { group: "nope", hidden: false, location: nowhere }]]) })[0]).toContain('"nope"');
  });

  test("pass-through switched off without a default entry is an error", () => {
    expect(errorsOf({ defaultModelPassthrough: false })[0]).toContain("default_model_passthrough is false");
    expect(errorsOf({ defaultModelPassthrough: false, deployments: [deploymentConfig({ group: "default", model: "claude-x" })] })).toEqual(
      [],
    );
  });

  test("a provider that is not served yet is a warning, and its deployment is kept", () => {
    const { table, faults } = build({ deployments: [deploymentConfig({ group: "g", model: "nobody/gemini-3-pro" })] });
    expect(faults.map(({ severity }) => severity)).toEqual(["warning"]);
    expect(faults[0]?.message).toContain('provider "nobody"');
    expect(table.resolve("g")?.deployments[0]?.provider).toBeUndefined();
  });
});

test("the table that people read says where each credential comes from, and never the credential", () => {
  const deployments = [
    opus,
    deploymentConfig({ group: "keyed", model: "anthropic/x", apiBase: "https://k.example", apiKey: "sk-secret-value" }),
    deploymentConfig({ group: "foreign", model: "anthropic/y", apiBase: "https://f.example" }),
    deploymentConfig({ group: "mocked", model: "anthropic/z", mockResponse: "hi" }),
  ];
  const rows = build({ deployments }).table.describe();
  expect(rows.map((row) => [row.name, row.deployments[0]?.credential])).toEqual([
    ["claude-opus-5-5", "caller"],
    ["keyed", "key"],
    ["foreign", "none"],
    ["mocked", "mock"],
  ]);
  expect(JSON.stringify(rows)).not.toContain("sk-secret-value");
});

describe("a deployment that cannot be asked", () => {
  const entry = deploymentConfig({ group: "g", model: "small/m" });
  const built = (provider: Partial<Provider>, variable: (name: string) => string | undefined = () => undefined): ReturnType<typeof build> =>
    buildRoutes(makeConfig({ deployments: [entry], variable }), createRegistry([...builtinPlugins, smallPlugin(provider)]));
  const warned = (result: ReturnType<typeof build>): readonly string[] =>
    result.faults.map(({ severity, message }) => `${severity}: ${message}`);

  test("is told of with what is missing, and does not stop the rest", () => {
    const result = built({ defaultApiBase: undefined, baseVariables: ["SMALL_API_BASE"] });
    expect(warned(result)).toEqual([
      'warning: requests routed to "g" will fail: every customer of small has another address; set api_base in litellm_params or the variable SMALL_API_BASE',
    ]);
    expect(result.table.resolve("g")?.deployments[0]?.problem).toContain("another address");
    expect(result.table.describe()).toHaveLength(1);
  });

  test("is told of in the provider's own words, be it by its base or by a check", () => {
    const throwing = built({
      defaultApiBase: undefined,
      apiBase: () => {
        throw new Error("no region: set aws_region_name");
      },
    });
    expect(warned(throwing)).toEqual(['warning: requests routed to "g" will fail: no region: set aws_region_name']);
    expect(warned(built({ check: () => ["tenant_id is missing"] }))).toEqual([
      'warning: requests routed to "g" will fail: tenant_id is missing',
    ]);
  });

  test("of a provider that is known by name only is told so, once, and shown without an address", () => {
    const result = built({ dialects: () => [], check: () => ["small has a protocol of its own", "more"] });
    expect(warned(result)).toEqual(['warning: requests routed to "g" will fail: small has a protocol of its own']);
    expect(result.table.describe()[0]?.deployments[0]?.apiBase).toBe("");
    expect(warned(built({ dialects: (_, operation) => (operation === "embeddings" ? ["small"] : []) }))).toEqual([]);
  });

  test("has the base of a variable, where that is one", () => {
    const bases = { SMALL_API_BASE: "http://127.0.0.1:1234/v1/" };
    const base = (variables: Readonly<Record<string, string>>): ReturnType<typeof build> =>
      built({ baseVariables: ["SMALL_BASE_URL", "SMALL_API_BASE"] }, (name) => variables[name]);
    expect(base(bases).table.resolve("g")?.deployments[0]?.apiBase).toBe("http://127.0.0.1:1234/v1");
    expect(base({}).table.resolve("g")?.deployments[0]?.apiBase).toBe("https://small.example");
    expect(warned(base({ SMALL_BASE_URL: "localhost:1234" }))).toEqual([expect.stringContaining("SMALL_BASE_URL is no http or https URL")]);
  });
});
