/** Reads a configuration folder: every file, every fault, one deeply readonly value. */

import { join, resolve } from "node:path";
import type { Environment } from "./environment.ts";
import { reportUnknownGroups } from "./granted-groups.ts";
import { readCcproxyFile } from "./load-ccproxy.ts";
import { readLitellmFile } from "./load-litellm.ts";
import { noteLeftovers } from "./python-original.ts";
import { createReport } from "./report.ts";
import { gatherSecrets } from "./secrets.ts";
import type { Config, LoadedConfig } from "./types.ts";

export interface LoadOptions {
  /** Folder of `config.yaml` and `ccproxy.yaml`. */
  readonly directory: string;
  readonly environment: Environment;
}

/**
 * Reads `config.yaml` with its includes, and `ccproxy.yaml`. Whatever is wrong with them comes back as faults, all of
 * them at once; nothing the files hold makes it throw. The environment given is read, never changed.
 */
export async function loadConfig(options: LoadOptions): Promise<LoadedConfig> {
  const directory = resolve(options.directory);
  const report = createReport();
  const litellm = await readLitellmFile(directory, options.environment, report);
  const { files, deployments, aliases, callbacks, router, connections, stores, masterKey, references, variables } = litellm;
  const { files: ownFiles, references: ownReferences, ...settings } = await readCcproxyFile(directory, variables, report);
  reportUnknownGroups({ ...settings, deployments, aliases }, report);
  await noteLeftovers(directory, report);
  const allFiles = [...files, ...ownFiles];
  // A main file that is missing is told of first.
  const faults = report.faults([...files, join(directory, "config.yaml"), ...ownFiles]);
  const environmentVariables = variables.configured;
  const secrets = gatherSecrets({ deployments, masterKey, stores, references: [...references, ...ownReferences], environmentVariables });
  const draft: Config = {
    directory,
    files: allFiles,
    ...settings,
    callbacks,
    masterKey,
    deployments,
    aliases,
    router,
    connections,
    stores,
    environmentVariables,
    variable: (name) => variables.get(name),
    secrets,
  };
  return { config: report.hasErrors() ? undefined : draft, draft, faults, files: allFiles };
}
