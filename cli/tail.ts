/** Reads the end of a log that rotates: `path` is the newest file, `path.1` the one before, and so on. */

import { open, type FileHandle } from "node:fs/promises";
import { errorCode } from "../core/config/text-file.ts";

const chunkBytes = 64 << 10;
const lineFeed = 0x0a;

/** The last `count` lines, oldest first; undefined when there is no log at all. */
export async function lastLines(path: string, count: number): Promise<readonly string[] | undefined> {
  const file = await openIfThere(path);
  if (file === undefined) return undefined;
  try {
    const { lines, rest } = await readTail(file, count);
    const all = [...lines, ...(rest === "" ? [] : [rest])].slice(-count);
    return count === 0 ? [] : [...(await rotatedLines(path, count - all.length)), ...all];
  } finally {
    await file.close();
  }
}

/** The last `count` lines of the rotated files alone. */
export async function rotatedLines(path: string, count: number): Promise<readonly string[]> {
  const newestFirst: (readonly string[])[] = [];
  let missing = count;
  for (let age = 1; missing > 0; age++) {
    const file = await openIfThere(`${path}.${age}`);
    if (file === undefined) break;
    try {
      const { lines } = await readTail(file, missing);
      newestFirst.push(lines);
      missing -= lines.length;
    } finally {
      await file.close();
    }
  }
  return newestFirst.toReversed().flat();
}

export interface Tail {
  /** Complete lines, oldest first. */
  readonly lines: readonly string[];
  /** Behind the last complete line, in bytes. */
  readonly end: number;
  /** What stands behind that: a line that is still being written. */
  readonly rest: string;
}

export async function readTail(file: FileHandle, count: number): Promise<Tail> {
  const { size } = await file.stat();
  let position = size;
  let bytes: Buffer = Buffer.alloc(0);
  let lineFeeds = 0;
  // One line feed more than lines: the first of them ends the line before.
  while (position > 0 && lineFeeds <= count) {
    const length = Math.min(chunkBytes, position);
    position -= length;
    const { buffer, bytesRead } = await file.read({ buffer: Buffer.alloc(length), position, length });
    const chunk = buffer.subarray(0, bytesRead);
    for (const byte of chunk) if (byte === lineFeed) lineFeeds++;
    bytes = Buffer.concat([chunk, bytes]);
  }
  const completeBytes = bytes.lastIndexOf(lineFeed) + 1;
  const lines = bytes
    .toString("utf8", 0, completeBytes)
    .split("\n")
    .filter((line) => line !== "");
  return { lines: count === 0 ? [] : lines.slice(-count), end: position + completeBytes, rest: bytes.toString("utf8", completeBytes) };
}

export async function openIfThere(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, "r");
  } catch (error) {
    if (errorCode(error) === "ENOENT") return undefined;
    throw error;
  }
}
