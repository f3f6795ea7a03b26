import { existsSync, readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import path from "node:path";

import { expect, test } from "vitest";

import { loadConfig } from "../core/config/load.ts";
import { createRegistry } from "../core/registry.ts";
import { buildSnapshot } from "../core/snapshot.ts";
import { createUserCodeRuntime } from "../core/user-code-runtime.ts";
import { builtinPlugins } from "../plugins/index.ts";
import { silent } from "./helpers/silent.ts";

const folder = fileURLToPath(new URL("../examples", import.meta.url));
const examples = readdirSync(folder, { withFileTypes: true }).filter(
  (entry) => entry.isDirectory() && existsSync(path.join(folder, entry.name, "config.yaml")),
);

test.each(examples.map(({ name }) => name))("the example %s loads without a finding", async (name) => {
  const environment = {
    ZAI_API_KEY: "a-key-of-z-ai",
    DEEPSEEK_API_KEY: "a-key-of-deepseek",
    ANTHROPIC_API_KEY: "a-key-of-anthropic",
    ANTHROPIC_BASE_URL: "https://api.anthropic.com",
    MASTER_KEY: "sk-master",
  };
  const registry = createRegistry(builtinPlugins);
  const loaded = await loadConfig({ directory: path.join(folder, name), environment });
  const { snapshot, faults } = await buildSnapshot(
    loaded,
    { registry, ...createUserCodeRuntime({ registry, environment, logger: silent }) },
    1,
    new Date(),
  );
  expect(faults).toEqual([]);
  for (const { label } of snapshot?.rules ?? []) expect(snapshot?.routes.resolve(label)?.deployments[0]?.provider).toBeDefined();
});
