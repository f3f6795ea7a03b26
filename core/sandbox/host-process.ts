/** One hook host as a process: how it is started and confined, how messages reach it, how it ends. */

import { spawn, type ChildProcess } from "node:child_process";
import { writeFile } from "node:fs";
import { Socket } from "node:net";
import { Duplex, type Readable } from "node:stream";
import type { Logger } from "../../sdk/log.ts";
import { createFrameDecoder, createFrameWriter } from "./frames.ts";
import type { ToHost } from "./protocol.ts";

/** What a host runs. */
export interface HostProgram {
  /** JavaScript, absolute: WebAssembly is off in the host, and with it Node's stripping of types. */
  readonly entry: string;
  /** Files and folders it may read; nothing else. */
  readonly readable: readonly string[];
  /** Script that is run first in every context. */
  readonly runtime: string;
}

export interface HostProcessOptions {
  readonly program: HostProgram;
  readonly logger: Logger;
  readonly onMessage: (header: unknown, headerBytes: number) => void;
  /**
   * Once, when nothing more will come: the process has ended, or is not to be listened to any more. It may have been
   * ended from outside when it was by SIGKILL, which nothing in it can send.
   */
  readonly onClose: (why: string, mayBeFromOutside: boolean) => void;
}

export interface HostProcess {
  /** 0 when it could not be started; `onClose` follows. */
  readonly pid: number;
  /** Written at the end of this turn of the loop. */
  send(message: ToHost, payload?: readonly Uint8Array[]): void;
  /** SIGKILL. What it wrote before is still read. */
  kill(): void;
  /** Settles when the process is gone. */
  readonly exited: Promise<void>;
}

/** 768 MB of data, which JIT-less V8 keeps to; no core files, which would hold prompts. */
const limits = "ulimit -c 0; ulimit -d 786432 2>/dev/null;";
/**
 * A host that never looks up does not see that its proxy was killed, and would burn a processor for ever. Whoever waits
 * here reads the end of the file then, and kills it; a line says that there is no host left to kill.
 */
const mourner = "(exec 3<&- >/dev/null 2>&1; read -r line <&4 || kill -9 $$) &";
const confined = `${limits} ${mourner} exec "$@" 4<&-`;
/** What is left in the socket of a dead host arrives at once; a socket still open by then has another holder. */
const lastBytesMs = 200;
const lastWordsMs = 20;
const keptOutputBytes = 2000;

/** Starts a host. It holds no variable of the environment and no file but the socket. */
export function startHostProcess({ program, logger, onMessage, onClose }: HostProcessOptions): HostProcess {
  const child = spawnHost(program);
  // Without a file descriptor left there are no streams at all.
  const socket = (child.stdio as ChildProcess["stdio"] | undefined)?.[3];
  if (!(socket instanceof Duplex)) return unstarted(child, onClose);
  const release = holdLifeline(child);
  const pid = child.pid ?? 0;
  const output = keepOutput(child);
  const writer = createFrameWriter(socket);
  let why: string | undefined;
  let isClosed = false;

  const close = (): void => {
    if (isClosed) return;
    isClosed = true;
    socket.destroy();
    const said = output();
    if (said !== "") logger.warn({ pid, output: said }, "a hook host said something");
    const { exitCode, signalCode } = child;
    onClose(why ?? describeEnd(child), why === undefined && (signalCode === "SIGKILL" || (signalCode === null && exitCode === null)));
  };
  const kill = (): void => {
    child.kill("SIGKILL");
    setTimeout(close, lastBytesMs).unref();
  };
  const decoder = createFrameDecoder((header, _payload, headerBytes) => {
    if (!isClosed) onMessage(header, headerBytes);
  });

  socket.on("data", (chunk: Buffer) => {
    try {
      decoder.push(chunk);
    } catch (error) {
      why ??= `it does not keep to the protocol: ${error instanceof Error ? error.message : String(error)}`;
      socket.pause();
      kill();
      close();
    }
  });
  // Its end is told by `close`; an error on the way there says no more.
  socket.on("error", () => undefined);
  // A host that closes its socket and lives on would be of no use and never end.
  socket.on("close", () => {
    child.kill("SIGKILL");
    // The reason comes with the exit, a moment later; on a busy machine that is too late for those who wait.
    if (child.exitCode !== null || child.signalCode !== null || pid === 0) close();
    else setTimeout(close, lastWordsMs).unref();
  });
  const exited = new Promise<void>((resolve) => {
    child.once("error", (error) => {
      why ??= `it could not be started: ${error.message}`;
      close();
      resolve();
    });
    child.once("exit", () => {
      release();
      // Its last words may still stand in the socket.
      if (socket.destroyed) close();
      else setTimeout(close, lastBytesMs).unref();
      resolve();
    });
  });
  if (process.platform === "linux" && pid !== 0) preferAsVictim(pid);

  return { pid, send: (message, payload) => writer.send(message, payload), kill, exited };
}

function unstarted(child: ChildProcess, onClose: HostProcessOptions["onClose"]): HostProcess {
  const exited = new Promise<void>((resolve) => {
    child.once("error", (error) => {
      onClose(`it could not be started: ${error.message}`, false);
      resolve();
    });
  });
  return { pid: 0, send: () => undefined, kill: () => undefined, exited };
}

/** @returns to be called when the process is gone: its number may soon be another's */
function holdLifeline(child: ChildProcess): () => void {
  const lifeline = child.stdio[4];
  if (!(lifeline instanceof Socket)) return () => undefined;
  lifeline.unref();
  lifeline.on("error", () => undefined);
  return () => void lifeline.end("gone\n", () => lifeline.destroy());
}

function spawnHost({ entry, readable }: HostProgram): ChildProcess {
  const node = [
    process.execPath,
    "--jitless",
    "--permission",
    "--allow-addons",
    ...readable.map((path) => `--allow-fs-read=${path}`),
    // Looked at by the loader of native addons.
    "--allow-fs-read=/etc/alpine-release",
    "--no-warnings",
    entry,
  ];
  const [file = "", ...args] = process.platform === "win32" ? node : ["/bin/sh", "-c", confined, "sh", ...node];
  return spawn(file, args, { env: {}, cwd: "/", stdio: ["ignore", "pipe", "pipe", "pipe", "pipe"], windowsHide: true, detached: true });
}

/** When memory runs out the system shall take a host, not the proxy. */
function preferAsVictim(pid: number): void {
  writeFile(`/proc/${pid}/oom_score_adj`, "900", () => undefined);
}

/** Reads what the host prints and keeps the beginning. Only its own runtime prints: user code has no way to. */
function keepOutput({ stdout, stderr }: ChildProcess): () => string {
  const kept: Buffer[] = [];
  let bytes = 0;
  const listen = (stream: Readable | null): void => {
    stream?.on("data", (chunk: Buffer) => {
      if (bytes >= keptOutputBytes) return;
      kept.push(chunk.subarray(0, keptOutputBytes - bytes));
      bytes += chunk.length;
    });
    stream?.on("error", () => undefined);
  };
  listen(stdout);
  listen(stderr);
  return () => Buffer.concat(kept).toString("utf8").trim();
}

function describeEnd({ exitCode, signalCode }: ChildProcess): string {
  if (signalCode !== null) return `it ended by ${signalCode}`;
  return exitCode === null ? "it closed its socket" : `it ended with code ${exitCode}`;
}
