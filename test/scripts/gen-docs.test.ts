import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import * as ccproxy from "../../core/config/schema-ccproxy.ts";
import * as litellm from "../../core/config/schema-litellm.ts";
import * as router from "../../core/config/schema-router.ts";
import * as routing from "../../core/config/schema-routing.ts";
import * as params from "../../core/config/schema-params.ts";
import { configurationPage, renderConfiguration } from "../../scripts/gen-docs.ts";
import { compatibilityPage, providerLines, withProviderTable } from "../../scripts/provider-table.ts";

test("docs/configuration.md says what the schemas say (if not: npm run docs)", async () => {
  expect(await readFile(configurationPage, "utf8")).toBe(renderConfiguration());
});

test("every key of every schema is described, with the kind of its value, and is on the page", () => {
  const page = renderConfiguration();
  const { infoSchema, outgoingSchema, providerSchema } = params;
  const schemas = Object.values({ ...ccproxy, ...litellm, ...router, ...routing, infoSchema, outgoingSchema, providerSchema });
  expect(schemas.length).toBeGreaterThan(10);
  for (const schema of schemas) {
    for (const [key, value] of Object.entries(schema.shape)) {
      expect(value.description, key).toMatch(/\.$/);
      expect(value.meta()?.["type"], key).toMatch(/./);
      expect(page).toContain(`| \`${key}\` |`);
    }
  }
});

test("docs/compatibility.md names the providers that there are (if not: npm run docs)", async () => {
  const page = await readFile(compatibilityPage, "utf8");
  expect(page).toBe(withProviderTable(page));
  expect(() => withProviderTable("# nothing")).toThrow(/no lines <!-- providers -->/);
});

test("the promise of a hundred providers is kept", () => {
  const lines = providerLines();
  expect(lines.length).toBeGreaterThan(100);
  for (const { page } of lines) expect(new URL(page).protocol).toBe("https:");
});
