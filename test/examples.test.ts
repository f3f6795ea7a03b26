import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import path from "node:path";

import { expect, test } from "vitest";

import { loadConfig } from "../core/config/load.ts";
import { createRegistry } from "../core/registry.ts";
import { buildSnapshot } from "../core/snapshot.ts";
import { builtinPlugins } from "../plugins/index.ts";

const folder = fileURLToPath(new URL("../examples", import.meta.url));
const examples = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory());

test.each(examples.map(({ name }) => name))("the example %s loads without a finding", async (name) => {
  const environment = { ZAI_API_KEY: "a-key-of-z-ai", DEEPSEEK_API_KEY: "a-key-of-deepseek" };
  const loaded = await loadConfig({ directory: path.join(folder, name), environment });
  const { snapshot, faults } = buildSnapshot(loaded, createRegistry(builtinPlugins), 1, new Date());
  expect(faults).toEqual([]);
  for (const { label } of snapshot?.rules ?? []) expect(snapshot?.routes.resolve(label)?.deployments[0]?.provider).toBeDefined();
});
