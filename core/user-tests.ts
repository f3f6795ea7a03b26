/** Runs a user's `*.test.ts` file the way rules and hooks are run: bundled, in a sandbox. */

import { createHash } from "node:crypto";

import type { TestResult } from "../sdk/testing.ts";
import { createRequestBody } from "./body/request-body.ts";
import type { Fault } from "./config/types.ts";
import { createPartSource } from "./sandbox/part-source.ts";
import type { CallContext } from "./sandbox/protocol.ts";
import type { PhaseOutcome, Sandbox, UnitSpec } from "./sandbox/sandbox.ts";
import { bundle, type Bundle } from "./user-code/bundle.ts";
import { codeFrame, maskText } from "./user-code/mask-code.ts";
import { createStackMapper, mapUnitError } from "./user-code/source-map.ts";
import { readCompilerOptions } from "./user-code/tsconfig.ts";
import { noFacts } from "../sdk/testing-fixtures.ts";

export interface TestedFile {
  /** Relative to the folder of the configuration. */
  readonly file: string;
  readonly tests: readonly TestedCase[];
  /** What kept the tests from running: they could not be compiled or loaded, or had to be stopped. */
  readonly faults: readonly Fault[];
  /** What was written with `console.log`. */
  readonly logs: readonly string[];
}

export interface TestedCase {
  readonly name: string;
  readonly ok: boolean;
  readonly durationMs: number;
  readonly error?: TestError;
}

export interface TestError {
  readonly message: string;
  /** Where in the user's files; undefined when it came from none of them. */
  readonly position: { readonly file: string; readonly line: number; readonly column: number } | undefined;
  /** The line at the position, with a caret below. */
  readonly frame: string;
}

/** A test may do more than a hook: it runs many of them. */
const sliceMs = 5000;
const timeoutMs = 60_000;

/**
 * @param path absolute, without links
 * @param root folder that its imports have to stay in, absolute and without links
 */
export async function runTestFile(path: string, root: string, sandbox: Sandbox): Promise<TestedFile> {
  const compiler = await readCompilerOptions(root);
  const zone = { kind: "user", root, name: "" } as const;
  const built = await bundle({ type: "tests", path, zone }, compiler.raw);
  const file = path.slice(root.length + 1);
  if (built.type === "failed") return { file, tests: [], faults: built.faults, logs: [] };
  const script = built.bundle;
  const program = await sandbox.load([unitSpec(script)]);
  try {
    const error = program.manifests[0]?.error;
    if (error !== undefined) return { file, tests: [], faults: [faultOf(script, error)], logs: [] };
    const [outcome] = await program.run({
      phase: "preCall",
      units: [0],
      context,
      stores: () => undefined,
      body: createPartSource(createRequestBody(Buffer.from("{}"))),
      operations: { run: async (_unit, { seq }) => ({ seq, ok: false, message: "tests reach nothing outside" }) },
      signal: new AbortController().signal,
    });
    return { file, ...readOutcome(script, outcome) };
  } finally {
    program.release();
  }
}

const context: CallContext = {
  requestId: "req_test",
  operation: "generate",
  facts: noFacts,
  headers: [],
  now: 0,
};

function unitSpec({ name, code }: Bundle): UnitSpec {
  return {
    unit: 0,
    kind: "hook",
    file: name,
    code,
    exportName: "default",
    params: { positional: [], named: {} },
    env: {},
    grants: { fetch: false, callModel: false, kv: false, replyTools: false },
    pseudonymKey: "0".repeat(64),
    hash: createHash("sha256").update(code).digest("hex"),
    limits: { sliceMs, timeoutMs },
  };
}

function readOutcome(script: Bundle, outcome: PhaseOutcome | undefined): Omit<TestedFile, "file"> {
  const logs = (outcome?.writes?.logs ?? []).map(({ text }) => text);
  if (outcome?.error !== undefined) return { tests: [], faults: [faultOf(script, outcome.error)], logs };
  const reply = outcome?.decision?.kind === "respond" ? outcome.decision.reply : undefined;
  if (typeof reply !== "string") {
    const why = outcome?.lost === undefined ? "gave no results" : `had to be stopped (${outcome.lost}): a test ran without an end`;
    return { tests: [], faults: [{ severity: "error", file: script.path, message: `${script.name} ${why}.` }], logs };
  }
  const results: readonly TestResult[] = JSON.parse(reply);
  return { tests: results.map((result) => toCase(script, result)), faults: [], logs };
}

function faultOf(script: Bundle, error: { readonly name: string; readonly message: string; readonly stack: string }): Fault {
  const { message, position, frame } = mapUnitError({ file: script.name, path: script.path, map: script.map }, error);
  return { severity: "error", file: script.path, ...position, message, frame };
}

function toCase(script: Bundle, { name, ok, durationMs, error }: TestResult): TestedCase {
  if (error === undefined) return { name, ok, durationMs };
  const position = innermost(createStackMapper(script.map, script.name)(error.stack));
  const message = error.name === "ExpectationError" ? error.message : `${error.name}: ${error.message}`;
  return { name, ok, durationMs, error: { message: maskText(message), position, frame: frameAt(script.map, position) } };
}

/** The first position in a file of the user's: `expect` is where a failure arises, but not what is looked for. */
function innermost(stack: string): TestError["position"] {
  for (const line of stack.split("\n")) {
    const [, file = "", row, column] = /^\s+at (?:.* \()?(.+?):(\d+):(\d+)\)?$/.exec(line) ?? [];
    if (file !== "" && !/^(?:ccproxy|npm)[:/]/.test(file)) return { file, line: Number(row), column: Number(column) };
  }
  return undefined;
}

function frameAt(map: string, position: TestError["position"]): string {
  if (position === undefined) return "";
  const { sources, sourcesContent }: { readonly sources: readonly string[]; readonly sourcesContent: readonly string[] } = JSON.parse(map);
  const line = sourcesContent[sources.indexOf(position.file)]?.split("\n")[position.line - 1];
  return line === undefined ? "" : codeFrame(line, position.line, position.column);
}
