/** Reads source files exactly once, and only from inside the folder they were found in. */

import { createHash } from "node:crypto";
import { constants } from "node:fs";
import { lstat, open, readlink, realpath, type FileHandle } from "node:fs/promises";
import { errorCode } from "../config/text-file.ts";
import { isWithin } from "./zone.ts";

/** Larger ones were not written by hand, and what a bundler made of them belongs into no sandbox. */
const maxSourceBytes = 4 * 1024 * 1024;

export type SourceFile =
  | { readonly type: "read"; readonly text: string; readonly signature: string; readonly digest: string }
  /** Why, as the end of a sentence that begins with the file's name. */
  | { readonly type: "refused"; readonly why: string };

/**
 * Reads a file whose path has no links any more. The path is looked at again once the file is open: one that was
 * exchanged for a link in between is refused, whatever it leads to.
 *
 * @param path absolute, as `realpath` gives it
 * @param root absolute, without links; the file must lie in it
 */
export async function readSource(path: string, root: string): Promise<SourceFile> {
  if (!isWithin(root, path)) return refused(`lies outside of ${root}`);
  let handle: FileHandle | undefined;
  try {
    handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    const stats = await handle.stat({ bigint: true });
    if (!stats.isFile()) return refused(`is ${stats.isDirectory() ? "a folder" : "not a regular file"}`);
    if (stats.size > BigInt(maxSourceBytes)) return refused(`is ${stats.size} bytes long; at most ${maxSourceBytes} are read`);
    const there = await lstat(path, { bigint: true });
    const same = there.dev === stats.dev && there.ino === stats.ino && (await openedPath(handle, path)) === path;
    if (!same) return refused("was exchanged while it was being read");
    const bytes = await handle.readFile();
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    return { type: "read", text, signature: signatureOf(stats), digest: createHash("sha256").update(bytes).digest("hex") };
  } catch (error) {
    const code = errorCode(error);
    if (code === "ELOOP") return refused("was exchanged for a link while it was being read");
    if (code === "ENOENT") return refused("does not exist any more");
    return refused(
      code === "ERR_ENCODING_INVALID_ENCODED_DATA" ? "holds bytes that are not UTF-8" : `cannot be read (${code ?? "unknown"})`,
    );
  } finally {
    await handle?.close();
  }
}

/** What changes whenever the file does; undefined when there is none. */
export async function fileSignature(path: string): Promise<string | undefined> {
  return await lstat(path, { bigint: true }).then(signatureOf, () => undefined);
}

function signatureOf(stats: { dev: bigint; ino: bigint; size: bigint; mtimeNs: bigint; ctimeNs: bigint }): string {
  return `${stats.dev}:${stats.ino}:${stats.size}:${stats.mtimeNs}:${stats.ctimeNs}`;
}

/** Linux knows which file a descriptor belongs to; elsewhere the path is followed anew. */
async function openedPath(handle: FileHandle, path: string): Promise<string> {
  return await readlink(`/proc/self/fd/${handle.fd}`).catch(async () => await realpath(path));
}

function refused(why: string): SourceFile {
  return { type: "refused", why };
}
