/** Child processes of the bench: start until ready, processor time and memory of a whole process tree, stop. */

import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync, readdirSync, readFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { setTimeout as delay } from "node:timers/promises";

export interface Command {
  readonly file: string;
  readonly args: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly directory?: string;
}

export interface RunningProcess {
  readonly pid: number;
  /** From the spawn to the first answer with a status below 500. */
  readonly startMs: number;
  stop(): Promise<void>;
}

/**
 * Starts a server and waits until it answers `GET readyPath`.
 * @throws Error with the end of its output when it exits or stays silent for `timeoutMs`.
 */
export async function startServerProcess(
  command: Command,
  ready: { readonly port: number; readonly path: string; readonly timeoutMs: number },
  logFile: string,
): Promise<RunningProcess> {
  const log = openSync(logFile, "w");
  const startedAt = performance.now();
  const child = spawn(command.file, command.args, {
    stdio: ["ignore", log, log],
    env: { PATH: process.env["PATH"] ?? "", ...command.environment },
    ...(command.directory === undefined ? {} : { cwd: command.directory }),
  });
  closeSync(log);
  const failure = new Promise<string>((resolve) => {
    child.once("error", (error) => resolve(error.message));
    child.once("exit", (code, signal) => resolve(`exited with ${code ?? signal}`));
  });
  const giveUpAt = startedAt + ready.timeoutMs;
  while (performance.now() < giveUpAt) {
    const state = await Promise.race([failure, answers(ready.port, ready.path)]);
    if (state === true && child.pid !== undefined)
      return { pid: child.pid, startMs: performance.now() - startedAt, stop: () => stop(child) };
    if (typeof state === "string") throw new Error(`${state}: ${tail(logFile)}`);
    await delay(2);
  }
  await stop(child);
  throw new Error(`no answer on ${ready.path} within ${ready.timeoutMs} ms: ${tail(logFile)}`);
}

export async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") throw new Error("no free port");
  return address.port;
}

/** User and system time of a process and all its descendants, ms, in steps of 10. Zero where there is no /proc. */
export function treeCpuMs(root: number): number {
  return tree(root).reduce((sum, pid) => {
    const fields = statFields(pid);
    return sum + (Number(fields[11] ?? 0) + Number(fields[12] ?? 0)) * 10;
  }, 0);
}

/** Resident memory of a process and all its descendants, MB of 1024 × 1024 bytes. */
export function treeRssMb(root: number): number {
  return tree(root).reduce((sum, pid) => {
    const status = readOrEmpty(`/proc/${pid}/status`);
    return sum + Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1] ?? 0) / 1024;
  }, 0);
}

function tree(root: number): readonly number[] {
  const children = new Map<number, number[]>();
  for (const name of entries("/proc")) {
    const pid = Number(name);
    if (!Number.isInteger(pid)) continue;
    const parent = Number(statFields(pid)[1] ?? 0);
    children.set(parent, [...(children.get(parent) ?? []), pid]);
  }
  const found = [root];
  for (const pid of found) found.push(...(children.get(pid) ?? []));
  return found;
}

/** Fields behind the command name, which may hold blanks: state, parent, … */
function statFields(pid: number): readonly string[] {
  const stat = readOrEmpty(`/proc/${pid}/stat`);
  return stat.slice(stat.lastIndexOf(")") + 2).split(" ");
}

function entries(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function readOrEmpty(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    // The process ended between the listing and this.
    return "";
  }
}

async function answers(port: number, path: string): Promise<boolean> {
  const socket = connect({ port, host: "127.0.0.1" });
  const answer = await new Promise<string>((resolve) => {
    socket.once("error", () => resolve(""));
    socket.once("connect", () => socket.write(`GET ${path} HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\nconnection: close\r\n\r\n`));
    socket.once("data", (data: Buffer) => resolve(data.toString("latin1", 0, 12)));
    socket.once("close", () => resolve(""));
    socket.setTimeout(5000, () => resolve(""));
  });
  socket.destroy();
  return /^HTTP\/1\.1 [234]/.test(answer);
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  const descendants = tree(child.pid).slice(1);
  const exited = once(child, "exit");
  child.kill("SIGTERM");
  const timer = setTimeout(() => child.kill("SIGKILL"), 3000);
  await exited;
  clearTimeout(timer);
  for (const pid of descendants) killQuietly(pid);
}

function killQuietly(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It went with its parent.
  }
}

function tail(file: string): string {
  return readOrEmpty(file).trim().split("\n").slice(-12).join("\n").slice(-1500);
}
