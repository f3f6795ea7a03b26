/** Files and folders that only their owner may read, written so that no reader ever sees half of one. */

import { randomBytes } from "node:crypto";
import { chmod, constants, link, mkdir, open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";

const createFlags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;

/**
 * Writes a whole file (mode 0600 whatever the umask), replacing the one that is there.
 * @throws the error of the file system
 */
export async function writePrivateFile(path: string, text: string): Promise<void> {
  await throughTemporary(path, text, (temporary) => rename(temporary, path));
}

/**
 * Makes a file (mode 0600) that must not exist yet; of several processes that try at once, one succeeds.
 * @throws an error with code EEXIST when it exists; then it is untouched
 */
export async function createPrivateFile(path: string, text: string): Promise<void> {
  // A link appears with its whole content, and unlike a rename it never replaces.
  await throughTemporary(path, text, (temporary) => link(temporary, path));
}

async function throughTemporary(path: string, text: string, publish: (temporary: string) => Promise<void>): Promise<void> {
  const temporary = `${path}.${randomBytes(6).toString("hex")}.tmp`;
  try {
    await writeNew(temporary, text);
    await publish(temporary);
  } finally {
    await rm(temporary, { force: true });
  }
  await syncDirectory(dirname(path));
}

async function writeNew(path: string, text: string): Promise<void> {
  const file = await open(path, createFlags, 0o600);
  try {
    // The umask can only have taken rights away.
    await file.chmod(0o600);
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Makes a folder (mode 0700), and those above it where they are missing. One that exists keeps its mode. */
export async function makePrivateDirectory(path: string): Promise<void> {
  const firstMade = await mkdir(path, { recursive: true, mode: 0o700 });
  if (firstMade !== undefined) await chmod(path, 0o700);
}

async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, constants.O_RDONLY);
  try {
    await directory.sync();
  } catch {
    // Some file systems refuse to sync a folder; the rename itself has happened.
  } finally {
    await directory.close();
  }
}
