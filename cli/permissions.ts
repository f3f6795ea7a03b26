/** Warns when others on this machine could read keys out of the configuration folder. */

import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Writable } from "node:stream";
import { shortPath } from "./display.ts";

const configFiles = ["config.yaml", "ccproxy.yaml"];
const groupOrWorld = 0o077;
/** A key or token written out, in contrast to one that names an environment variable. */
const literalSecret =
  /^[^#]*(?:(?:key|token|secret|password)["']?\s*:\s*["']?(?!os\.environ\/|null\b|~)[^\s"'#][^\s"'#]{7,}|\bsk-[\w-]{8,})/im;

/** One line for each file that holds a secret and that others may read. Says nothing where permissions mean nothing. */
export async function warnOfOpenFiles(directory: string, stderr: Writable): Promise<void> {
  const folder = await stat(directory).catch(() => undefined);
  // What is in a folder that only its owner may enter, nobody else can reach.
  if (folder === undefined || (folder.mode & groupOrWorld) === 0) return;
  for (const name of configFiles) {
    const path = join(directory, name);
    const file = await stat(path).catch(() => undefined);
    if (file === undefined || (file.mode & groupOrWorld) === 0) continue;
    const text = await readFile(path, "utf8").catch(() => "");
    if (!literalSecret.test(text)) continue;
    const path_ = shortPath(path);
    stderr.write(
      `ccproxy: warning: others on this machine may read the keys in ${path_}; close it with: chmod 700 ${shortPath(directory)}; chmod 600 ${path_}\n`,
    );
  }
}
