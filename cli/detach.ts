/** Starts a server that outlives this command, and answers only once it is ready or has failed. */

import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { constants, open, readFile } from "node:fs/promises";
import { get } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { formatLogLine } from "../core/log/human.ts";
import type { CliContext } from "./context.ts";
import { shortPath } from "./display.ts";
import { CliFailure } from "./failure.ts";
import { logFilePath } from "./log-path.ts";

/** What the new server says to this command. */
export type ServerMessage =
  | { readonly type: "listening"; readonly url: string }
  | { readonly type: "note"; readonly text: string }
  | { readonly type: "failed"; readonly text: string };

/** What this command says to the new server: it is ready, live on without me. */
export interface ParentMessage {
  readonly type: "adopt";
}

export interface DetachOptions {
  readonly host?: string;
  readonly port?: number;
}

const readyWithinMs = 30_000;
/** How long a server that did not become ready has to end in good order. */
const killAfterMs = 3000;
const tailLines = 20;

/**
 * @returns the exit code 0, when the server has answered its readiness probe
 * @throws CliFailure with the reason and the tail of the log; then no process is left
 */
export async function startDetached(context: CliContext, directory: string, { host, port }: DetachOptions): Promise<number> {
  const path = logFilePath(directory);
  const log = await open(path, constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NOFOLLOW, 0o600);
  const { size: logBytesBefore } = await log.stat();
  const args = [...(host === undefined ? [] : ["--host", host]), ...(port === undefined ? [] : ["--port", String(port)])];
  const child = spawn(process.execPath, [...process.execArgv, context.entry, "start", "--background", "--config-dir", directory, ...args], {
    detached: true,
    stdio: ["ignore", log.fd, log.fd, "ipc"],
    // Not where this command happens to stand: that would keep the folder, or its disk, in use.
    cwd: directory,
    env: { ...context.env },
  });
  await log.close();
  const interrupted = new AbortController();
  const interrupt = (): void => interrupted.abort();
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, interrupt);
  try {
    const url = await becomeReady(child, interrupted.signal, (text) => context.stderr.write(`ccproxy: ${text}\n`));
    const message: ParentMessage = { type: "adopt" };
    child.send(message);
    await once(child, "disconnect");
    child.unref();
    context.stdout.write(`ccproxy listens on ${url} (process ${child.pid}), log in ${shortPath(path)}\n`);
    return 0;
  } catch (error) {
    await end(child);
    const tail = await tailSince(path, logBytesBefore, context);
    throw new CliFailure(`${error instanceof Error ? error.message : String(error)}${tail}`, 1, { cause: error });
  } finally {
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.off(signal, interrupt);
  }
}

async function becomeReady(child: ChildProcess, interrupted: AbortSignal, note: (text: string) => void): Promise<string> {
  const deadline = AbortSignal.timeout(readyWithinMs);
  const url = await new Promise<string>((resolve, reject) => {
    child.on("message", (message: ServerMessage) => {
      if (message.type === "listening") resolve(message.url);
      else if (message.type === "failed") reject(new Error(message.text));
      else note(message.text);
    });
    child.once("error", (error) => reject(new Error(`the server process cannot be started: ${error.message}`)));
    child.once("exit", (code, signal) =>
      reject(new Error(`the server process ended with ${signal ?? `exit code ${code}`} before it was ready`)),
    );
    interrupted.addEventListener("abort", () => reject(new Error("interrupted; the server was not started")));
    deadline.addEventListener("abort", () => reject(new Error(`the server was not ready within ${readyWithinMs / 1000} s and was ended`)));
  });
  while (!(await isReady(url))) {
    if (child.exitCode !== null || child.signalCode !== null) throw new Error("the server process ended before it was ready");
    if (interrupted.aborted) throw new Error("interrupted; the server was not started");
    if (deadline.aborted) throw new Error(`the server did not report itself ready within ${readyWithinMs / 1000} s and was ended`);
    await sleep(50);
  }
  return url;
}

function isReady(url: string): Promise<boolean> {
  return new Promise((resolve) => {
    const request = get(`${url}/health/readiness`, { agent: false, timeout: 2000 }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    request.on("timeout", () => request.destroy());
    request.on("error", () => resolve(false));
  });
}

async function end(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, "exit");
  child.kill("SIGTERM");
  const force = setTimeout(() => child.kill("SIGKILL"), killAfterMs);
  await exited;
  clearTimeout(force);
}

/** What the failed server wrote to the log, for people. */
async function tailSince(path: string, offset: number, context: CliContext): Promise<string> {
  const content = await readFile(path).catch(() => Buffer.alloc(0));
  // A smaller file was rotated meanwhile, so all of it is new.
  const lines = content
    .subarray(content.length < offset ? 0 : offset)
    .toString("utf8")
    .split("\n")
    .filter((line) => line !== "");
  if (lines.length === 0) return "";
  const shown = lines.slice(-tailLines).map((line) => `  ${formatLogLine(line, context.stderr)}`);
  return `\n\nThe end of ${shortPath(path)}:\n${shown.join("\n")}`;
}
