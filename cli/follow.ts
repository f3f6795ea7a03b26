/** Follows a log as it grows, through rotation, truncation and removal, without an external program. */

import { stat, type FileHandle } from "node:fs/promises";
import { StringDecoder } from "node:string_decoder";
import { setTimeout } from "node:timers/promises";
import { openIfThere, readTail, rotatedLines } from "./tail.ts";

const pollMs = 150;
const chunkBytes = 64 << 10;

export interface FollowOptions {
  readonly path: string;
  readonly signal: AbortSignal;
  /** How many of the lines that are there already come first. */
  readonly lines: number;
}

/** Yields complete lines, the last ones and then each as it is written, until the signal aborts. Waits when there is no file yet. */
export async function* follow({ path, signal, lines }: FollowOptions): AsyncGenerator<string, void> {
  let current: Reader | undefined;
  try {
    const file = await openIfThere(path);
    if (file !== undefined) {
      const tail = await readTail(file, lines);
      current = new Reader(file, tail.end);
      yield* await rotatedLines(path, lines - tail.lines.length);
      yield* tail.lines;
    }
    while (!signal.aborted) {
      if (current === undefined) {
        // A file that appears now is new from its first line.
        const appeared = await openIfThere(path);
        if (appeared !== undefined) current = new Reader(appeared, 0);
      }
      if (current !== undefined) {
        yield* current.read();
        if (!(await current.isAt(path))) {
          // The last lines may have come between reading and renaming.
          yield* current.read();
          for (const missed of await openBetween(path, current)) {
            yield* missed.read();
            await missed.close();
          }
          await current.close();
          current = undefined;
          continue;
        }
      }
      await setTimeout(pollMs, undefined, { signal }).catch(() => undefined);
    }
  } finally {
    await current?.close();
  }
}

/** The files that were begun and rotated away since the one we were reading, oldest first. */
async function openBetween(path: string, last: Reader): Promise<readonly Reader[]> {
  const between: Reader[] = [];
  for (let age = 1; ; age++) {
    const rotated = `${path}.${age}`;
    if (await last.isAt(rotated)) return between;
    const file = await openIfThere(rotated);
    if (file === undefined) break;
    between.unshift(new Reader(file, 0));
  }
  // The old file is nowhere: it was removed, and these are older than it or unrelated.
  for (const reader of between) await reader.close();
  return [];
}

class Reader {
  readonly #file: FileHandle;
  readonly #decoder = new StringDecoder("utf8");
  #position: number;
  #partial = "";

  constructor(file: FileHandle, position: number) {
    this.#file = file;
    this.#position = position;
  }

  async *read(): AsyncGenerator<string, void> {
    const { size } = await this.#file.stat();
    if (size < this.#position) {
      // Truncated: what is there now was written after that.
      this.#position = 0;
      this.#partial = "";
    }
    for (;;) {
      const { buffer, bytesRead } = await this.#file.read({
        buffer: Buffer.alloc(chunkBytes),
        position: this.#position,
        length: chunkBytes,
      });
      if (bytesRead === 0) return;
      this.#position += bytesRead;
      const lines = (this.#partial + this.#decoder.write(buffer.subarray(0, bytesRead))).split("\n");
      this.#partial = lines.pop() ?? "";
      for (const line of lines) if (line !== "") yield line;
    }
  }

  /** Whether this path names the very file that is read here. */
  async isAt(path: string): Promise<boolean> {
    const [own, there] = await Promise.all([this.#file.stat(), stat(path).catch(() => undefined)]);
    return own.ino === there?.ino && own.dev === there.dev;
  }

  close(): Promise<void> {
    return this.#file.close();
  }
}
