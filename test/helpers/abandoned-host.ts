/** A program that starts a hook host, sends it into native code that never looks up, and says which process it is. */

import { readHostProgram } from "../../core/sandbox-program.ts";
import { createSandbox } from "../../core/sandbox/create-sandbox.ts";
import type { UnitSpec } from "../../core/sandbox/sandbox.ts";
import { noFacts } from "../../sdk/testing-fixtures.ts";

const quiet = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
const unit: UnitSpec = {
  unit: 0,
  kind: "hook",
  file: "hooks/stuck.ts",
  code: "var __exports = { default: { onComplete() { [].indexOf.call({ length: 2 ** 53 - 1 }, 1); } } };",
  exportName: "default",
  params: { positional: [], named: {} },
  env: {},
  grants: { fetch: false, callModel: false, kv: false, replyTools: false },
  pseudonymKey: "0".repeat(64),
  hash: "stuck",
  // Long enough for whoever started this program to kill it first.
  limits: { sliceMs: 60_000, timeoutMs: 60_000 },
};

const sandbox = createSandbox({ logger: quiet, hostProgram: readHostProgram });
const program = await sandbox.load([unit]);
const { active, spare } = sandbox.status();
void program.run({
  phase: "onComplete",
  units: [0],
  context: {
    requestId: "r",
    operation: "generate",
    facts: noFacts,
    headers: [],
    now: 0,
  },
  stores: () => undefined,
  subject: "{}",
  operations: { run: () => Promise.reject(new Error("none is expected")) },
  signal: new AbortController().signal,
});
setTimeout(() => process.stdout.write(`${active?.pid} ${spare?.pid}\n`), 300);
