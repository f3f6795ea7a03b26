/** `ccproxy test`: runs the `*.test.ts` files beside rules and hooks, in the sandbox that those run in. */

import { readdir, realpath } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { formatFaults } from "../../core/config/format.ts";
import { createSandbox } from "../../core/sandbox/create-sandbox.ts";
import { readHostProgram } from "../../core/sandbox-program.ts";
import { isWithin } from "../../core/user-code/zone.ts";
import { runTestFile, type TestedCase, type TestedFile } from "../../core/user-tests.ts";
import { configDirectory } from "../config-directory.ts";
import type { CliContext, Command, CommonOptions } from "../context.ts";
import { painter, shortPath, type Paint } from "../display.ts";
import { CliFailure } from "../failure.ts";
import { silentLogger } from "../silent-logger.ts";

interface TestOptions extends CommonOptions {
  readonly files: readonly string[];
  readonly json?: boolean;
}

const test: Command<TestOptions> = async (context, options) => {
  const directory = configDirectory(context, options);
  const root = await realpath(directory).catch(() => directory);
  const paths =
    options.files.length === 0 ? await findTests(root) : await Promise.all(options.files.map((file) => locate(file, context.cwd, root)));
  if (paths.length === 0) {
    throw new CliFailure(
      `there is no *.test.ts in ${shortPath(join(directory, "rules"))} or hooks; "ccproxy new rule NAME" writes a rule with its test`,
    );
  }
  const sandbox = createSandbox({ logger: silentLogger, hostProgram: readHostProgram });
  const results: TestedFile[] = [];
  const paint = painter(context.stdout);
  try {
    for (const path of paths) {
      // A file from elsewhere may import what lies beside it.
      const result = await runTestFile(path, isWithin(root, path) ? root : dirname(path), sandbox);
      results.push(result);
      if (options.json !== true) printFile(context, result, paint);
    }
  } finally {
    await sandbox.close();
  }
  const tests = results.flatMap((result) => result.tests);
  const failed = tests.filter(({ ok }) => !ok).length;
  const broken = results.filter(({ faults }) => faults.length > 0).length;
  const empty = results.filter((result) => result.tests.length === 0 && result.faults.length === 0);
  if (options.json === true)
    context.stdout.write(`${JSON.stringify({ passed: tests.length - failed, failed, files: results }, undefined, 2)}\n`);
  else {
    for (const { file } of empty) context.stdout.write(`${paint("yellow", file)} holds no test; add one with test("…", () => …)\n`);
    const parts = [
      paint(failed === 0 ? "green" : "dim", `${tests.length - failed} passed`),
      ...(failed === 0 ? [] : [paint("red", `${failed} failed`)]),
      ...(broken === 0 ? [] : [paint("red", `${broken} ${broken === 1 ? "file" : "files"} not run`)]),
    ];
    context.stdout.write(`${parts.join(", ")}\n`);
  }
  return failed === 0 && broken === 0 && empty.length === 0 ? 0 : 1;
};
export default test;

async function findTests(root: string): Promise<string[]> {
  const found = await Promise.all(
    ["rules", "hooks"].map(async (folder) => {
      const files = await readdir(join(root, folder), { recursive: true }).catch(() => []);
      const tests = files.filter((file) => /\.test\.m?[jt]s$/.test(file) && !file.includes("node_modules"));
      return await Promise.all(tests.sort().map((file) => realpath(join(root, folder, file))));
    }),
  );
  return found.flat();
}

/** A file as given: from where the command was started, or in the folder of the configuration. */
async function locate(file: string, cwd: string, root: string): Promise<string> {
  for (const path of [resolve(cwd, file), resolve(root, file)]) {
    const found = await realpath(path).catch(() => undefined);
    if (found !== undefined) return found;
  }
  throw new CliFailure(`there is no file ${file}, neither here nor in ${shortPath(root)}`, 2);
}

function printFile({ stdout }: CliContext, { file, tests, faults, logs }: TestedFile, paint: Paint): void {
  if (tests.length === 0 && faults.length === 0) return;
  stdout.write(`${paint("bold", file)}\n`);
  for (const each of tests) stdout.write(describeCase(each, paint));
  if (faults.length > 0) stdout.write(`${indent(formatFaults(faults).trimEnd(), "  ")}\n`);
  for (const line of logs) stdout.write(`${paint("dim", indent(line, "  │ "))}\n`);
  stdout.write("\n");
}

function describeCase({ name, ok, durationMs, error }: TestedCase, paint: Paint): string {
  const time = durationMs >= 20 ? paint("dim", ` ${durationMs} ms`) : "";
  const line = `  ${ok ? paint("green", "✓") : paint("red", "✗")} ${name}${time}\n`;
  if (error === undefined) return line;
  const { position, frame, message } = error;
  const where = position === undefined ? "" : paint("cyan", `at ${position.file}:${position.line}:${position.column}\n`);
  return `${line}${indent(`${message}\n${where}${frame}`.trimEnd(), "      ")}\n`;
}

function indent(text: string, by: string): string {
  return text.replaceAll(/^(?=.)/gm, by);
}
