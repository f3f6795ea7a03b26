/** The file of the database, which nobody else may read. */

import { chmodSync, closeSync, fsyncSync, lstatSync, mkdirSync, openSync, type Stats } from "node:fs";
import { dirname } from "node:path";

import { SqliteError } from "./errors.ts";

/**
 * Makes the file (0600), and its folder (0700) where there is none; takes the rights of others from a file that is there.
 *
 * An existing file is not opened here: to close it again would end the locks that this process holds on it by SQLite (POSIX says so), and another
 * process could then take away the log from under its feet.
 *
 * @throws SqliteError when it is a link, a folder or the like, or another user's
 */
export function preparePrivateFile(path: string): void {
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    // SQLite gives what it puts beside the file the rights of the file.
    for (const name of [path, `${path}-wal`, `${path}-shm`, `${path}-journal`]) checkOne(name);
    createOnce(path);
  } catch (error) {
    if (error instanceof SqliteError || !(error instanceof Error)) throw error;
    throw new SqliteError("readonly", `${path} cannot be made or used: ${error.message}`);
  }
}

/** @returns undefined where nothing is */
export function statOf(path: string): Stats | undefined {
  return lstatSync(path, { throwIfNoEntry: false });
}

/** So that the names of new files outlast a power cut, too. */
export function syncFolder(path: string): void {
  // Windows knows no such thing.
  if (process.platform === "win32") return;
  const folder = openSync(dirname(path), "r");
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}

function checkOne(name: string): void {
  const stats = statOf(name);
  if (stats === undefined) return;
  if (stats.isSymbolicLink())
    throw new SqliteError(
      "refused",
      `${name} is a symbolic link, and what is kept there would go elsewhere: remove it or name another file`,
    );
  if (!stats.isFile()) throw new SqliteError("refused", `${name} is no file: name another one`);
  if (process.platform !== "win32" && (stats.mode & 0o077) !== 0) chmodSync(name, 0o600);
}

function createOnce(path: string): void {
  if (statOf(path) !== undefined) return;
  try {
    closeSync(openSync(path, "wx", 0o600));
  } catch (error) {
    // Another process was faster; it looks at the file as this one did.
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    checkOne(path);
  }
}
