/** The matrix tells what the tests found: of a test that failed, or was never there, no good word. */

import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";

import { afterEach, beforeEach, expect, it } from "vitest";
import type { TestModule, Vitest } from "vitest/node";

import { renderTable, replaceTable, sdkTable, type Result, type Table } from "./matrix.ts";
import CompatibilityReporter from "./reporter.ts";

const root = path.resolve(import.meta.dirname, "../..");
const table: Table = {
  name: "small",
  file: "test/small.test.ts",
  rows: [
    { client: "anthropic", upstream: "gemini" },
    { client: "gemini", upstream: "anthropic" },
  ],
  columns: ["text", "tools"],
};

const results = (failed: readonly string[] = [], left: readonly string[] = []): readonly Result[] =>
  ["anthropic → gemini", "gemini → anthropic"]
    .flatMap((row) => ["text", "tools: whole", "tools: stream"].map((test) => ({ row, test, passed: !failed.includes(`${row} ${test}`) })))
    .filter(({ row, test }) => !left.includes(`${row} ${test}`));

it("a mark for each cell whose tests all passed", () => {
  expect(renderTable(table, results())).toBe(
    [
      "| client | provider | text | tools |",
      "| --- | --- | :-: | :-: |",
      "| Anthropic Messages | Gemini | ✓ | ✓ |",
      "| Gemini | Anthropic Messages | ✓ | ✓ |",
    ].join("\n"),
  );
});

it("one failing test of several is enough against it, and so is none at all", () => {
  expect(renderTable(table, results(["anthropic → gemini tools: stream"]))).toContain("| Anthropic Messages | Gemini | ✓ | ✗ |");
  expect(renderTable(table, results([], ["gemini → anthropic text"]))).toContain("| Gemini | Anthropic Messages | ✗ | ✓ |");
  expect(renderTable(table, [])).not.toContain("✓");
});

it("a test of another column with the same beginning does not count", () => {
  expect(renderTable(table, [{ row: "anthropic → gemini", test: "text of tools", passed: true }])).not.toContain("✓");
});

it("a page without a place for the table is a fault", () => {
  expect(() => replaceTable("# page", table, "")).toThrow("no place for a table");
});

let folder: string;
let page: string;
let failures: string[];

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "ccproxy-matrix-"));
  page = path.join(folder, "page.md");
  failures = [];
  await writeFile(page, `# page\n\n<!-- matrix sdks -->\n<!-- /matrix sdks -->\n\nend\n`);
});

afterEach(() => rm(folder, { recursive: true, force: true }));

/** A run of the file behind the table, in which all tests passed but these. */
function run(options: { readonly write: boolean; readonly failed?: string; readonly file?: string; readonly pattern?: RegExp }): void {
  const reporter = new CompatibilityReporter({ page, write: options.write, fail: (reason) => failures.push(reason) });
  reporter.onInit({ config: { testNamePattern: options.pattern } } as unknown as Vitest);
  const tests = sdkTable.rows.flatMap(({ client, upstream }) =>
    sdkTable.columns.map((column) => ({
      name: column,
      parent: { type: "suite", name: `${client} → ${upstream}` },
      result: () => ({ state: `${client} → ${upstream} ${column}` === options.failed ? "failed" : "passed" }),
    })),
  );
  const module = { moduleId: path.join(root, options.file ?? sdkTable.file), children: { allTests: () => tests } };
  reporter.onTestRunEnd([module as unknown as TestModule]);
}

it("a page that says what was found is left alone; one that does not fails the run, until it is written anew", async () => {
  run({ write: false });
  expect(failures).toHaveLength(1);
  run({ write: true });
  const written = await readFile(page, "utf8");
  expect(written).toContain("| Anthropic Messages | Bedrock Converse | ✓ |");
  expect(written).not.toContain("✗");
  expect(written).toMatch(/^# page\n[\s\S]*\nend\n$/);
  run({ write: false });
  expect(failures).toHaveLength(1);
  run({ write: false, failed: "gemini → anthropic abort" });
  expect(failures).toHaveLength(2);
  expect(await readFile(page, "utf8")).toBe(written);
});

it("a run of some of the tests says nothing", () => {
  run({ write: false, pattern: /abort/ });
  run({ write: false, file: "test/architecture.test.ts" });
  expect(failures).toEqual([]);
});
