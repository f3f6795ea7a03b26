/** The edge of the command line: takes what it needs from the process, runs one command, sets the exit code. */

import { CommanderError } from "commander";
import type { CliContext } from "./context.ts";
import { CliFailure } from "./failure.ts";
import { buildProgram } from "./program.ts";

/** Runs the command line of this process. Never rejects. */
export async function main(): Promise<void> {
  for (const stream of [process.stdout, process.stderr]) {
    // A reader that has seen enough (`ccproxy logs | head`) is not a failure.
    stream.on("error", () => process.exit(process.exitCode ?? 0));
  }
  const context: CliContext = {
    env: process.env,
    cwd: process.cwd(),
    // Opening it is left to whoever reads it.
    get stdin() {
      return process.stdin;
    },
    stdout: process.stdout,
    stderr: process.stderr,
    entry: process.argv[1] ?? "",
  };
  process.exitCode = await exitCodeOf(context, process.argv.slice(2));
}

async function exitCodeOf(context: CliContext, args: readonly string[]): Promise<number> {
  let exitCode = 0;
  try {
    const program = buildProgram(context, (code) => {
      exitCode = code;
    });
    await program.parseAsync(args, { from: "user" });
    return exitCode;
  } catch (error) {
    // Help and version "fail" with 0; every other complaint of the parser is wrong use.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    if (error instanceof CliFailure) {
      context.stderr.write(`ccproxy: ${error.message}\n`);
      return error.exitCode;
    }
    // What the system refuses (rights, a full disk) says itself what and where.
    if (error instanceof Error && "syscall" in error) {
      context.stderr.write(`ccproxy: ${error.message}\n`);
      return 1;
    }
    context.stderr.write(`ccproxy: unexpected error, please report it: ${error instanceof Error ? error.stack : String(error)}\n`);
    return 1;
  }
}
