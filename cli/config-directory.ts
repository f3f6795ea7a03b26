/** Which folder a command works on. */

import { stat } from "node:fs/promises";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import type { CliContext, CommonOptions } from "./context.ts";
import { shortPath } from "./display.ts";
import { CliFailure } from "./failure.ts";

/** Absolute. The option wins over CCPROXY_CONFIG_DIR, that over `~/.ccproxy`; the folder need not exist. */
export async function configDirectory(context: CliContext, options: CommonOptions): Promise<string> {
  const named = options.configDir ?? context.env["CCPROXY_CONFIG_DIR"];
  if (named !== undefined && named.trim() !== "") return resolve(context.cwd, named);
  return join(homedir(), ".ccproxy");
}

/** @throws CliFailure that tells to install */
export async function requireDirectory(directory: string): Promise<void> {
  const info = await stat(directory).catch(() => undefined);
  if (info?.isDirectory() === true) return;
  const path = shortPath(directory);
  throw new CliFailure(
    info === undefined
      ? `no configuration folder ${path}; "ccproxy install" makes one that works, --config-dir names another`
      : `${path} is not a folder; --config-dir names the folder of ccproxy.yaml and config.yaml`,
  );
}
