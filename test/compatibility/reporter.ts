/**
 * Compares the matrix of docs/compatibility.md with what the tests of this run found, and fails the run when they differ.
 * With CCPROXY_WRITE_COMPATIBILITY set it writes the page instead. A run that left tests out says nothing about the matrix.
 */

import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";

import type { Reporter, TestCase, TestModule, TestSuite, Vitest } from "vitest/node";

import { renderTable, replaceTable, tables, type Result } from "./matrix.ts";

export interface ReporterOptions {
  /** Default: the page in this checkout. */
  readonly page?: string;
  readonly write?: boolean;
  readonly fail?: (reason: string) => void;
}

const root = path.resolve(import.meta.dirname, "../..");

export default class CompatibilityReporter implements Reporter {
  readonly #page: string;
  readonly #write: boolean;
  readonly #fail: (reason: string) => void;
  #isFiltered = false;

  constructor(options: ReporterOptions = {}) {
    this.#page = options.page ?? path.join(root, "docs/compatibility.md");
    this.#write = options.write ?? process.env["CCPROXY_WRITE_COMPATIBILITY"] !== undefined;
    this.#fail = options.fail ?? fail;
  }

  onInit(vitest: Vitest): void {
    this.#isFiltered = vitest.config.testNamePattern !== undefined;
  }

  onTestRunEnd(modules: readonly TestModule[]): void {
    if (this.#isFiltered) return;
    for (const table of tables) {
      const own = modules.filter((module) => path.relative(root, module.moduleId) === table.file);
      // A file that was not asked for.
      if (own.length === 0) continue;
      const results = own.flatMap((module) => Array.from(module.children.allTests(), resultOf));
      const page = readFileSync(this.#page, "utf8");
      const fresh = replaceTable(page, table, renderTable(table, results));
      if (fresh === page) continue;
      if (this.#write) writeFileSync(this.#page, fresh);
      else
        this.#fail(`docs/compatibility.md does not say what ${table.file} found (if what it found is right: npm run docs:compatibility)`);
    }
  }
}

function resultOf(test: TestCase): Result {
  const parent: TestSuite | TestModule = test.parent;
  return { row: parent.type === "suite" ? parent.name : "", test: test.name, passed: test.result().state === "passed" };
}

function fail(reason: string): void {
  process.stderr.write(`\n${reason}\n`);
  process.exitCode = 1;
}
