/** The per-install token that callers present when `local_auth` is on. */

import { randomBytes } from "node:crypto";
import { constants, open } from "node:fs/promises";
import { join } from "node:path";
import { errorCode } from "./config/text-file.ts";
import { createPrivateFile } from "./private-file.ts";

const tokenFileName = "local-token";
const tokenPattern = /^[\w-]{43}$/;

/**
 * The token of a configuration folder: 32 random bytes in base64url, made when first asked for.
 * @throws Error when the file cannot be read or holds something else
 */
export async function readOrCreateLocalToken(directory: string): Promise<string> {
  const path = join(directory, tokenFileName);
  const fresh = randomBytes(32).toString("base64url");
  try {
    await createPrivateFile(path, `${fresh}\n`);
    return fresh;
  } catch (error) {
    if (errorCode(error) !== "EEXIST") throw error;
  }
  const token = await readTokenFile(path);
  if (!tokenPattern.test(token)) {
    throw new Error(`${path} does not hold a token (43 characters of base64url); remove the file and a new one is made`);
  }
  return token;
}

async function readTokenFile(path: string): Promise<string> {
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    return (await file.readFile("utf8")).trim();
  } finally {
    await file.close();
  }
}
