/** Collects the tests of a file and runs them one after the other. */

import { respond, type HookDefinition } from "./define.ts";

export interface TestResult {
  readonly name: string;
  readonly ok: boolean;
  readonly durationMs: number;
  /** With positions in the compiled file. */
  readonly error?: { readonly name: string; readonly message: string; readonly stack: string };
}

interface TestCase {
  readonly name: string;
  readonly body: () => void | Promise<void>;
}

const cases: TestCase[] = [];

/**
 * Adds a test to the file it stands in. It fails when its function throws or rejects.
 *
 * @example
 * test("a long prompt goes to the big model", async () => {
 *   expect(await runRule(rule, makeRequest("x".repeat(10_000)))).toBe(true);
 * });
 */
export function test(name: string, body: () => void | Promise<void>): void {
  cases.push({ name, body });
}

/** What `ccproxy test` loads and runs: it answers with the results as JSON. */
export const testHook: HookDefinition = {
  async preCall() {
    return respond(JSON.stringify(await runTests()));
  },
};

async function runTests(): Promise<readonly TestResult[]> {
  const results: TestResult[] = [];
  for (const { name, body } of cases.splice(0)) {
    const startedAt = Date.now();
    try {
      await body();
      results.push({ name, ok: true, durationMs: Date.now() - startedAt });
    } catch (error) {
      results.push({ name, ok: false, durationMs: Date.now() - startedAt, error: describe(error) });
    }
  }
  return results;
}

function describe(error: unknown): NonNullable<TestResult["error"]> {
  if (error instanceof Error) return { name: error.name, message: error.message, stack: error.stack ?? "" };
  return { name: "Error", message: `thrown: ${String(error)}`, stack: "" };
}
