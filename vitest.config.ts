import { fileURLToPath } from "node:url";

import { defineConfig, type ViteUserConfig } from "vitest/config";

const endToEnd = "test/e2e/**/*.test.ts";

const sdk = (file: string): string => fileURLToPath(new URL(`./sdk/${file}`, import.meta.url));

const config: ViteUserConfig = defineConfig({
  // What the package's own name leads to once it is built; longer names first.
  resolve: { alias: { "ccproxy/sdk/testing": sdk("testing.ts"), "ccproxy/sdk": sdk("index.ts") } },
  test: {
    hookTimeout: 30_000,
    // Two cores: more workers than that only make the servers under test wait for each other.
    maxWorkers: 2,
    // The second one holds the matrix in docs/compatibility.md to what the tests found.
    reporters: ["default", ...(process.env["GITHUB_ACTIONS"] === "true" ? ["github-actions"] : []), "./test/compatibility/reporter.ts"],
    projects: [
      { extends: true, test: { name: "parts", include: ["test/**/*.test.ts"], exclude: [endToEnd], testTimeout: 20_000 } },
      // Starts programs of several hundred megabytes, beside everything else.
      { extends: true, test: { name: "e2e", include: [endToEnd], testTimeout: 60_000 } },
    ],
  },
});
export default config;
