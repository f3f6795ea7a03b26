/** Finds the user's configuration folder, and the file by which a project adds rules. */

import { lstat, realpath } from "node:fs/promises";
import { homedir } from "node:os";
import { basename, dirname, join, relative, resolve, sep } from "node:path";
import { ownVariable, type Environment } from "./environment.ts";
import { createExplorer, type FoundText } from "./explorer.ts";
import type { Origin } from "./source.ts";
import { errorCode, maxTextBytes } from "./text-file.ts";

const name = "ccproxy";

export interface ConfigDirectory {
  /** Absolute; it need not exist. */
  readonly directory: string;
  readonly from: "flag" | "environment" | "default";
  /** Absolute path of its `config.yaml` or `config.yml`; undefined while there is none. */
  readonly configFile: string | undefined;
}

export interface DirectoryOptions {
  /** Value of `--config-dir`. */
  readonly flag?: string | undefined;
  readonly environment: Environment;
  readonly home: string;
  /** What a relative path counts from. */
  readonly cwd: string;
}

/** The option wins over `CCPROXY_CONFIG_DIR`, which wins over `~/.ccproxy`. The folder named first counts, whether it exists or not. */
export async function findConfigDirectory(options: DirectoryOptions): Promise<ConfigDirectory> {
  const { directory, from } = nameDirectory(options);
  const found = await createExplorer(name, ["config.yaml", "config.yml"]).search(directory);
  return { directory, from, configFile: found?.filepath };
}

function nameDirectory({ flag, environment, home, cwd }: DirectoryOptions): Pick<ConfigDirectory, "directory" | "from"> {
  if (flag !== undefined && flag.trim() !== "") return { directory: resolve(cwd, flag), from: "flag" };
  const variable = ownVariable(environment, "CONFIG_DIR");
  if (variable !== undefined) return { directory: resolve(cwd, variable), from: "environment" };
  return { directory: join(home, ".ccproxy"), from: "default" };
}

export interface ProjectFile {
  /** Absolute. */
  readonly file: string;
  /** The text of the file; of package.json the value of `ccproxy` only. */
  readonly content: string;
  /** Where the content begins in the file. */
  readonly origin: Origin;
}

/** A project file that is there, but is not read. The message says why and what to do. */
export class ProjectFileError extends Error {
  override readonly name = "ProjectFileError";
}

const searchPlaces = ["package.json", ".ccproxyrc", ".ccproxyrc.yaml", ".ccproxyrc.yml", ".ccproxyrc.json"];

/**
 * The nearest project file, from a folder upwards to the home folder or the root; the home folder itself is no project.
 * Only text is read: nothing a repository holds is run or followed. The content counts once it is trusted.
 *
 * @throws ProjectFileError for a file that is a link out of its folder, no regular file, or too large
 */
export async function findProjectFile(cwd: string, home: string = homedir()): Promise<ProjectFile | undefined> {
  const end = await realpath(home).catch(() => resolve(home));
  let folder = await realpath(cwd);
  while (folder !== end) {
    const places = await readablePlaces(folder);
    const found = places.length === 0 ? undefined : await createExplorer(name, places).search(folder);
    if (found != null) {
      const { content, origin } = found.config as FoundText;
      return { file: found.filepath, content, origin };
    }
    const parent = dirname(folder);
    if (parent === folder) return undefined;
    folder = parent;
  }
  return undefined;
}

/** The search places of a folder that are there and harmless to open: cosmiconfig itself would follow a link to /dev/zero. */
async function readablePlaces(folder: string): Promise<readonly string[]> {
  const places: string[] = [];
  for (const place of searchPlaces) {
    const file = join(folder, place);
    const problem = await problemWith(file, folder);
    if (problem === undefined) places.push(place);
    else if (problem !== "absent" && basename(file) !== "package.json") throw new ProjectFileError(`${file} ${problem}`);
  }
  return places;
}

async function problemWith(file: string, folder: string): Promise<string | undefined> {
  try {
    const real = (await lstat(file)).isSymbolicLink() ? await realpath(file) : file;
    if (relative(folder, real).split(sep)[0] === "..")
      return "is a link that leads out of its folder; it is not read. Put the file itself there.";
    const stats = await lstat(real);
    if (!stats.isFile()) return "is not a regular file; it is not read. Remove it.";
    return stats.size > maxTextBytes
      ? `is ${stats.size} bytes; at most ${maxTextBytes} are read. A project file holds a few rules.`
      : undefined;
  } catch (error) {
    const code = errorCode(error);
    if (code === "ENOENT" || code === "ENOTDIR") return "absent";
    return `cannot be read (${code ?? String(error)}).`;
  }
}
