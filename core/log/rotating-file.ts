/** An append-only log file that rotates by size and outlives deletion, a full disk and other writers. */

import { closeSync, constants, openSync, writeSync } from "node:fs";
import { open, rename, rm, stat, type FileHandle } from "node:fs/promises";

export interface RotatingFileOptions {
  readonly path: string;
  /** The file is rotated before it would grow beyond this; a single longer line still goes in whole. */
  readonly maxBytes: number;
  /** How many rotated files (`path.1` is the newest) stay. */
  readonly keep: number;
}

export interface RotatingFile {
  /** Takes one line with its line feed. Returns at once and never throws. */
  write(line: string): void;
  /** Settles once everything written so far is in the file, or was lost for good. Never rejects. */
  flush(): Promise<void>;
  close(): Promise<void>;
}

/** Lines are gathered for this long: under load one system call then serves many of them. */
const gatherMs = 40;
/** What may wait while the disk does not take it. Lines beyond are counted and dropped. */
const maxPendingChars = 8 << 20;
const openFlags = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NOFOLLOW;

export function createRotatingFile(options: RotatingFileOptions): RotatingFile {
  let pending: string[] = [];
  let pendingChars = 0;
  let lostLines = 0;
  let handle: FileHandle | undefined;
  let timer: NodeJS.Timeout | undefined;
  let work: Promise<void> | undefined;
  let closed = false;

  process.on("exit", writeAtExit);

  function write(line: string): void {
    if (closed) return;
    if (pendingChars + line.length > maxPendingChars) {
      lostLines++;
      return;
    }
    pending.push(line);
    pendingChars += line.length;
    timer ??= setTimeout(() => void flush(), gatherMs).unref();
  }

  function flush(): Promise<void> {
    clearTimeout(timer);
    timer = undefined;
    // One writer at a time keeps the lines in order.
    work = (work ?? Promise.resolve()).then(drain);
    return work;
  }

  async function drain(): Promise<void> {
    const lines = takePending();
    if (lines.length === 0) return;
    const alreadyLost = lostLines;
    lostLines = 0;
    // The line feed in front ends a line that a full disk may have cut.
    if (alreadyLost > 0) lines[0] = `\n${lossNotice(alreadyLost)}\n${lines[0]}`;
    let next = 0;
    try {
      while (next < lines.length) next = await writeSome(lines, next);
    } catch {
      // A full or vanished disk must not stop the proxy. The count goes into the file when it takes lines again.
      lostLines += lines.length - next + (next === 0 ? alreadyLost : 0);
      await closeHandle();
    }
  }

  function takePending(): string[] {
    const lines = pending;
    pending = [];
    pendingChars = 0;
    return lines;
  }

  /** Writes as many lines as fit into the current file. @returns the index of the first line not written */
  async function writeSome(lines: readonly string[], from: number): Promise<number> {
    handle = await currentHandle();
    let { size } = await handle.stat();
    let until = from;
    let text = "";
    for (; until < lines.length; until++) {
      const line = lines[until] ?? "";
      const lineBytes = Buffer.byteLength(line);
      if (size > 0 && size + lineBytes > options.maxBytes) break;
      text += line;
      size += lineBytes;
    }
    if (text !== "") await handle.appendFile(text);
    if (until < lines.length) await rotate();
    return until;
  }

  /** The open file, opened anew when somebody removed, replaced or rotated it meanwhile. */
  async function currentHandle(): Promise<FileHandle> {
    if (handle !== undefined) {
      const [onDisk, opened] = await Promise.all([stat(options.path).catch(() => undefined), handle.stat()]);
      if (onDisk?.ino === opened.ino && onDisk.dev === opened.dev) return handle;
      await closeHandle();
    }
    const fresh = await open(options.path, openFlags, 0o600);
    // A file from before keeps the mode it had.
    const { mode } = await fresh.stat();
    if ((mode & constants.S_IFMT) === constants.S_IFREG && (mode & 0o077) !== 0) await fresh.chmod(0o600);
    return fresh;
  }

  async function rotate(): Promise<void> {
    await closeHandle();
    if (options.keep === 0) {
      await rm(options.path, { force: true });
      return;
    }
    for (let age = options.keep - 1; age >= 1; age--) await renameIfThere(`${options.path}.${age}`, `${options.path}.${age + 1}`);
    await renameIfThere(options.path, `${options.path}.1`);
  }

  async function closeHandle(): Promise<void> {
    const closing = handle;
    handle = undefined;
    await closing?.close().catch(() => undefined);
  }

  /** The last words of a process that ends without closing its log. */
  function writeAtExit(): void {
    const lines = takePending();
    if (lines.length === 0) return;
    try {
      const descriptor = openSync(options.path, openFlags, 0o600);
      writeSync(descriptor, lines.join(""));
      closeSync(descriptor);
    } catch {
      // Nobody is left to tell.
    }
  }

  return {
    write,
    flush,
    async close() {
      closed = true;
      await flush();
      process.off("exit", writeAtExit);
      await closeHandle();
    },
  };
}

function lossNotice(lines: number): string {
  return JSON.stringify({
    level: "warn",
    time: new Date().toISOString(),
    msg: `${lines} log lines were lost: the log file could not be written`,
  });
}

async function renameIfThere(from: string, to: string): Promise<void> {
  try {
    await rename(from, to);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) throw error;
  }
}
