/** The secret of an installation, and the key of `context.pseudonym` that each file of user code gets from it. */

import { hkdfSync, randomBytes } from "node:crypto";
import { constants, open } from "node:fs/promises";
import { join } from "node:path";

import { errorCode } from "../config/text-file.ts";
import { createPrivateFile } from "../private-file.ts";

export const installSecretFileName = "install-secret";

const secretPattern = /^[0-9a-f]{64}$/;

/**
 * 32 random bytes in hexadecimal, made when first asked for, the same from then on: placeholders made
 * with another one would no longer match those in the conversations of yesterday.
 *
 * @throws Error when the file cannot be read or holds something else
 */
export async function readOrCreateInstallSecret(directory: string): Promise<string> {
  const path = join(directory, installSecretFileName);
  const existing = await readSecretFile(path);
  if (existing !== undefined) return existing;
  const fresh = randomBytes(32).toString("hex");
  try {
    await createPrivateFile(path, `${fresh}\n`);
    return fresh;
  } catch (error) {
    if (errorCode(error) !== "EEXIST") throw error;
  }
  // Another process was faster.
  const theirs = await readSecretFile(path);
  if (theirs === undefined) throw new Error(`${path} was there and is gone again; try once more`);
  return theirs;
}

/**
 * @param file as the configuration calls it, e.g. `hooks/redact.ts`
 * @returns 64 hexadecimal digits from which neither the secret nor the key of another file can be told
 */
export function derivePseudonymKey(secret: string, file: string): string {
  return Buffer.from(hkdfSync("sha256", Buffer.from(secret, "hex"), "", `ccproxy pseudonym ${file}`, 32)).toString("hex");
}

async function readSecretFile(path: string): Promise<string | undefined> {
  const text = await readIfThere(path);
  if (text !== undefined && !secretPattern.test(text)) {
    throw new Error(
      `${path} does not hold a secret (64 hexadecimal digits). Restore it, or remove it: a new one is made, and pseudonyms change`,
    );
  }
  return text;
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
    try {
      return (await file.readFile("utf8")).trim();
    } finally {
      await file.close();
    }
  } catch (error) {
    if (errorCode(error) === "ENOENT") return undefined;
    throw error;
  }
}
