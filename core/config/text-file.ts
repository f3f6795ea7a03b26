/** Reads a small text file that a person wrote: bounded, UTF-8, a regular file, or a clear word on why not. */

import { constants } from "node:fs";
import { open, type FileHandle } from "node:fs/promises";

/** Configuration of this size was not written by a person; refused before anything parses it. */
export const maxTextBytes = 1_048_576;

/** `absent` when there is no such file; `refused` says what is wrong with it, and on which line where that is known. */
export type TextFile =
  | { readonly type: "text"; readonly text: string }
  | { readonly type: "absent" }
  | { readonly type: "refused"; readonly message: string; readonly line?: number };

/** Never throws for anything the file system or the content may hold. */
export async function readTextFile(file: string, maxBytes: number = maxTextBytes): Promise<TextFile> {
  let handle: FileHandle | undefined;
  try {
    // Without O_NONBLOCK a named pipe in the place of the file would hold the start for ever.
    handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK);
    const stats = await handle.stat();
    if (!stats.isFile()) return refused(`is ${stats.isDirectory() ? "a folder" : "not a regular file"}; wanted a text file.`);
    if (stats.size > maxBytes) return refused(tooLarge(stats.size, maxBytes));
    return decode(await readAtMost(handle, maxBytes), maxBytes);
  } catch (error) {
    const code = errorCode(error);
    if (code === "ENOENT" || code === "ENOTDIR") return { type: "absent" };
    return refused(`cannot be read (${code ?? String(error)}).${code === "EACCES" ? " Check its owner and permissions." : ""}`);
  } finally {
    await handle?.close();
  }
}

/** The `code` of a file system error. */
export function errorCode(error: unknown): string | undefined {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined;
}

async function readAtMost(handle: FileHandle, maxBytes: number): Promise<Buffer> {
  // One byte more than allowed, so that a file which grew since the check is noticed.
  const buffer = Buffer.alloc(maxBytes + 1);
  let length = 0;
  for (;;) {
    const { bytesRead } = await handle.read(buffer, length, buffer.length - length, null);
    length += bytesRead;
    if (bytesRead === 0 || length === buffer.length) return buffer.subarray(0, length);
  }
}

function decode(bytes: Buffer, maxBytes: number): TextFile {
  if (bytes.length > maxBytes) return refused(tooLarge(bytes.length, maxBytes));
  if ((bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff)) {
    return refused("is UTF-16; wanted UTF-8. Save it again with that encoding.");
  }
  const nul = bytes.indexOf(0);
  if (nul >= 0) return refused("holds a NUL byte; wanted plain text. Remove it.", lineOf(bytes, nul));
  try {
    return { type: "text", text: new TextDecoder("utf-8", { fatal: true }).decode(bytes) };
  } catch {
    const before = new TextDecoder().decode(bytes).split("\uFFFD", 1)[0] ?? "";
    return refused("holds bytes that are not UTF-8. Save it again with that encoding.", before.split("\n").length);
  }
}

function refused(message: string, line?: number): TextFile {
  return line === undefined ? { type: "refused", message } : { type: "refused", message, line };
}

function tooLarge(bytes: number, maxBytes: number): string {
  return `is over the limit: ${bytes} bytes, at most ${maxBytes} are read. Configuration does not grow that large; is it the right file?`;
}

function lineOf(bytes: Buffer, offset: number): number {
  let line = 1;
  for (let index = bytes.indexOf(10); index >= 0 && index < offset; index = bytes.indexOf(10, index + 1)) line += 1;
  return line;
}
