/** Which folder a command works on. */

import { stat } from "node:fs/promises";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { namedVariable } from "../core/config/environment.ts";
import type { CliContext, CommonOptions } from "./context.ts";
import { shortPath } from "./display.ts";
import { CliFailure } from "./failure.ts";

/**
 * Absolute. The option wins over CCPROXY_CONFIG_DIR, that over `~/.ccproxy`; the folder need not exist. For commands
 * that look at a server and no configuration: it answers as `findConfigDirectory` does, without loading what that needs.
 */
export function configDirectory(context: CliContext, options: CommonOptions): string {
  const named = options.configDir?.trim() || namedVariable(context.env, "CCPROXY_CONFIG_DIR");
  return named === undefined ? join(homedir(), ".ccproxy") : resolve(context.cwd, named);
}

/**
 * The same for commands that read the configuration.
 * @throws CliFailure that tells to install when there is no such folder
 */
export async function existingConfigDirectory(context: CliContext, options: CommonOptions): Promise<string> {
  const { findConfigDirectory } = await import("../core/config/discover.ts");
  const { directory, from } = await findConfigDirectory({
    flag: options.configDir,
    environment: context.env,
    home: homedir(),
    cwd: context.cwd,
  });
  const info = await stat(directory).catch(() => undefined);
  if (info?.isDirectory() === true) return directory;
  const named = { flag: " (named by --config-dir)", environment: " (named by CCPROXY_CONFIG_DIR)", default: "" }[from];
  throw new CliFailure(
    info === undefined
      ? `no configuration folder ${shortPath(directory)}${named}; "ccproxy install" makes one that works, --config-dir names another`
      : `${shortPath(directory)}${named} is not a folder; name the folder of ccproxy.yaml and config.yaml`,
  );
}
