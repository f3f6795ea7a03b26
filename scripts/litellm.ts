/** LiteLLM's proxy as its users run it: a pinned version, installed by pip into a folder of its own. */

import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";

export const litellmVersion = "1.106.2";

/** Why it cannot run here. */
export interface NotInstalled {
  readonly skipped: string;
}

/**
 * Installs it on the first call.
 *
 * @param cache folder that is not committed
 * @returns path of its program
 */
export function installLitellm(cache: string): string | NotInstalled {
  const python = ["python3", "python"].find((file) => spawnSync(file, ["-m", "venv", "--help"]).status === 0);
  if (python === undefined) return { skipped: "no Python with venv is here" };
  const folder = join(cache, "litellm");
  const program = join(folder, "venv/bin/litellm");
  if (existsSync(program)) return program;
  mkdirSync(folder, { recursive: true });
  const made = spawnSync(python, ["-m", "venv", join(folder, "venv")]);
  const filled = spawnSync(join(folder, "venv/bin/pip"), ["install", "--quiet", `litellm[proxy]==${litellmVersion}`], { encoding: "utf8" });
  return made.status === 0 && filled.status === 0 ? program : { skipped: `pip could not install it: ${(filled.stderr ?? "").slice(-400)}` };
}

/**
 * How to start it with one worker, without a key check and without asking the network for anything.
 *
 * @param home an empty folder; whatever it keeps at home goes there
 */
export function litellmCommand(
  program: string,
  options: { readonly config: string; readonly port: number; readonly home: string },
): {
  readonly file: string;
  readonly args: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly directory: string;
} {
  return {
    file: program,
    args: ["--config", options.config, "--host", "127.0.0.1", "--port", String(options.port), "--num_workers", "1"],
    environment: {
      HOME: options.home,
      LITELLM_DANGEROUSLY_PERMIT_WEAK_OR_UNSET_MASTER_KEY: "true",
      LITELLM_LOCAL_MODEL_COST_MAP: "True",
      LITELLM_LOG: "ERROR",
    },
    directory: options.home,
  };
}

export const litellmReadyPath = "/health/liveliness";
