/** Reads `config.yaml`, in LiteLLM's format, with its includes and its variables. */

import { readAliases } from "./aliases.ts";
import { readCallbacks } from "./callbacks.ts";
import { readConnections } from "./connections.ts";
import { readDeployments } from "./deployments.ts";
import { type Environment } from "./environment.ts";
import { findFile } from "./find-file.ts";
import { mergeIncludes } from "./include.ts";
import type { Report } from "./report.ts";
import { readRouter } from "./router-settings.ts";
import { readSettings } from "./settings.ts";
import { readStores } from "./stores.ts";
import { isMapping, valueOf, within, type Place, type Tree } from "./tree.ts";
import type { Config, DeploymentConfig } from "./types.ts";
import { reportUnset } from "./unset-references.ts";
import { readVariables, resolveReferences, type Reference, type Variables } from "./variables.ts";

const masterKeyVariable = "LITELLM_MASTER_KEY";

export interface LitellmFile {
  /** Those that were read, the main one first. */
  readonly files: readonly string[];
  readonly deployments: readonly DeploymentConfig[];
  readonly aliases: Config["aliases"];
  readonly callbacks: Config["callbacks"];
  readonly router: Config["router"];
  readonly connections: Config["connections"];
  readonly stores: Config["stores"];
  readonly masterKey: string | undefined;
  readonly references: readonly Reference[];
  readonly variables: Variables;
}

/** What of the file is right; what is not is in the report. */
export async function readLitellmFile(directory: string, environment: Environment, report: Report): Promise<LitellmFile> {
  const found = await findFile(directory, "config", report);
  if (found === undefined) {
    report.file("error", `${directory}/config.yaml`, "does not exist. Run `ccproxy install` to write a first one.");
  } else if (found.tree !== undefined && !isMapping(found.tree.value)) {
    const what = found.tree.value === null ? "is empty" : "holds no mapping";
    report.file(
      "error",
      found.file,
      `${what}; wanted at least a section model_list. Run \`ccproxy install --force\` for a working one (a backup is kept).`,
    );
  }
  if (found?.tree === undefined || !isMapping(found.tree.value)) {
    const tree: Tree = { file: found?.file ?? directory, value: {}, locate: () => ({ file: directory, line: 1, column: 1 }) };
    return { files: found === undefined ? [] : [found.file], ...(await readSections(tree, environment, report)) };
  }
  const included = await mergeIncludes(found.tree, report);
  return { files: [found.file, ...included.files], ...(await readSections(included.tree, environment, report)) };
}

async function readSections(written: Tree, environment: Environment, report: Report): Promise<Omit<LitellmFile, "files">> {
  const variables = readVariables(written, environment, report);
  const { tree, references } = resolveReferences(written, variables);
  reportUnset(tree, references, report);
  const told = new Set<string>();
  const root: Place = { tree, path: [] };
  const settings = readSettings(root, told, report);
  return {
    deployments: readDeployments(within(root, "model_list"), { settings, told, report }),
    aliases: readAliases(within(root, "router_settings", "model_group_alias"), report),
    callbacks: readCallbacks(within(root, "litellm_settings"), report),
    router: readRouter(root, settings, report),
    connections: await readConnections(root, { keys: settings.litellm, variables }, report),
    stores: readStores(root, { ...settings, variables }, report),
    masterKey: readMasterKey(within(root, "general_settings"), variables, report),
    references,
    variables,
  };
}

/** The key callers must present; LiteLLM takes it from a variable where the file has none. */
function readMasterKey(settings: Place, variables: Variables, report: Report): string | undefined {
  const written = valueOf(within(settings, "master_key"));
  // What comes from a file by way of a variable ends with a line break.
  if (typeof written === "string" && written.trim() !== "") return written.trim();
  if (written != null) return undefined;
  const key = variables.get(masterKeyVariable)?.trim() || undefined;
  if (key !== undefined)
    report.file("note", settings.tree.file, `has no master_key; callers must present the one in the variable ${masterKeyVariable}.`);
  return key;
}
