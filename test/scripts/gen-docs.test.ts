import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import * as ccproxy from "../../core/config/schema-ccproxy.ts";
import * as litellm from "../../core/config/schema-litellm.ts";
import { configurationPage, renderConfiguration } from "../../scripts/gen-docs.ts";

test("docs/configuration.md says what the schemas say (if not: npm run docs)", async () => {
  expect(await readFile(configurationPage, "utf8")).toBe(renderConfiguration());
});

test("every key of every schema is described, with the kind of its value, and is on the page", () => {
  const page = renderConfiguration();
  const schemas = Object.values({ ...ccproxy, ...litellm });
  expect(schemas.length).toBeGreaterThan(10);
  for (const schema of schemas) {
    for (const [key, value] of Object.entries(schema.shape)) {
      expect(value.description, key).toMatch(/\.$/);
      expect(value.meta()?.["type"], key).toMatch(/./);
      expect(page).toContain(`| \`${key}\` |`);
    }
  }
});
