/** Runs the real command line in a home folder of its own. */

import { spawn, type ChildProcess, type SpawnOptions } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";

export const launcher: string = fileURLToPath(new URL("../../bin/ccproxy.js", import.meta.url));

interface Finished {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Running {
  readonly child: ChildProcess;
  readonly finished: Promise<Finished>;
  stdout(): string;
  stderr(): string;
  /** Resolves when the text has appeared on either stream. @throws Error with all output when the process ends first */
  shows(text: string | RegExp): Promise<void>;
}

export interface Home {
  readonly home: string;
  /** `~/.ccproxy` */
  readonly directory: string;
  /** Runs a command to its end. */
  readonly ccproxy: (args: readonly string[], options?: CommandOptions) => Promise<Finished>;
  /** Starts a command; it is killed when the test ends. */
  readonly start: (args: readonly string[], options?: CommandOptions) => Running;
}

interface CommandOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly stdin?: SpawnOptions["stdio"];
  /** Default: the Node that runs the tests. */
  readonly node?: string;
}

/** A temporary home folder; it and everything started in it are gone when the test ends. */
export async function createHome(): Promise<Home> {
  const home = await mkdtemp(join(tmpdir(), "ccproxy-home-"));
  onTestFinished(() => rm(home, { recursive: true, force: true }));
  const start = (args: readonly string[], options: CommandOptions = {}): Running => {
    const child = spawn(options.node ?? process.execPath, [launcher, ...args], {
      cwd: options.cwd ?? home,
      stdio: ["ignore", "pipe", "pipe"],
      env: { PATH: process.env["PATH"] ?? "", HOME: home, ...options.env },
    });
    onTestFinished(() => void child.kill("SIGKILL"));
    return observe(child);
  };
  return {
    home,
    directory: join(home, ".ccproxy"),
    start,
    ccproxy: (args, options) => start(args, options).finished,
  };
}

/** Collects what a process prints. */
export function observe(child: ChildProcess): Running {
  let stdout = "";
  let stderr = "";
  const waiting = new Set<() => void>();
  const wake = (): void => {
    for (const check of waiting) check();
  };
  child.stdout?.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
    wake();
  });
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
    wake();
  });
  const finished = once(child, "close").then(([code, signal]): Finished => ({ code, signal, stdout, stderr }));
  return {
    child,
    finished,
    stdout: () => stdout,
    stderr: () => stderr,
    shows(wanted) {
      return new Promise((resolve, reject) => {
        const check = (): void => {
          const text = stdout + stderr;
          if (!(typeof wanted === "string" ? text.includes(wanted) : wanted.test(text))) return;
          waiting.delete(check);
          resolve();
        };
        waiting.add(check);
        check();
        finished.then(({ code }) => reject(new Error(`ended with ${code} without showing ${String(wanted)}:\n${stdout}${stderr}`)), reject);
      });
    },
  };
}
