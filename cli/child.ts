/** Runs a command in place of this one: same terminal, same signals, same exit code. */

import { spawn } from "node:child_process";
import { constants } from "node:os";
import { errorCode } from "../core/config/text-file.ts";
import { CliFailure } from "./failure.ts";

/** Sent to us by others, so the child has to be told. */
const forwarded = ["SIGTERM", "SIGHUP", "SIGUSR2"] as const;
/** Sent by the terminal to everyone in it, so the child has them already; without a terminal it has to be told too. */
const fromTerminal = ["SIGINT", "SIGQUIT"] as const;

/**
 * Runs a command to its end.
 * @returns its exit code, or 128 + n when signal n ended it
 * @throws CliFailure with 127 when there is no such command, 126 when it cannot be executed
 */
export async function runChild(
  command: string,
  args: readonly string[],
  { env, onStart }: { readonly env: Readonly<Record<string, string | undefined>>; readonly onStart: () => void },
): Promise<number> {
  const child = spawn(command, args, { stdio: "inherit", env: { ...env } });
  const atTerminal = [process.stdin, process.stdout, process.stderr].some((stream) => stream.isTTY);
  const forward = (signal: NodeJS.Signals): void => {
    child.kill(signal);
  };
  const ignore = (): void => undefined;
  for (const signal of forwarded) process.on(signal, forward);
  for (const signal of fromTerminal) process.on(signal, atTerminal ? ignore : forward);
  try {
    return await new Promise<number>((resolve, reject) => {
      child.once("spawn", onStart);
      child.once("error", (error) => reject(spawnFailure(command, error)));
      child.once("exit", (code, signal) => resolve(signal === null ? (code ?? 1) : 128 + constants.signals[signal]));
    });
  } finally {
    for (const signal of forwarded) process.off(signal, forward);
    for (const signal of fromTerminal) process.off(signal, ignore).off(signal, forward);
  }
}

function spawnFailure(command: string, error: Error): CliFailure {
  switch (errorCode(error) ?? "") {
    case "ENOENT":
      return new CliFailure(`command not found: ${command}`, 127, { cause: error });
    case "EACCES":
      return new CliFailure(`${command} cannot be executed: permission denied`, 126, { cause: error });
    default:
      return new CliFailure(`${command} cannot be executed: ${error.message}`, 126, { cause: error });
  }
}
