/** `ccproxy install`: writes a configuration folder that serves Claude Code as it is. */

import { chmod, lstat, readFile, rename } from "node:fs/promises";
import { dirname, join } from "node:path";
import { makePrivateDirectory, writePrivateFile } from "../../core/private-file.ts";
import { configDirectory } from "../config-directory.ts";
import type { Command, CommonOptions } from "../context.ts";
import { painter, shortPath, table } from "../display.ts";
import { CliFailure } from "../failure.ts";
import { readTemplates, type TemplateFile } from "../template-files.ts";

interface InstallOptions extends CommonOptions {
  readonly force?: boolean;
}

const install: Command<InstallOptions> = async (context, options) => {
  const directory = configDirectory(context, options);
  const shown = shortPath(directory);
  const existed = await exists(directory);
  if (existed && options.force !== true) {
    throw new CliFailure(`${shown} exists already and was left alone; "ccproxy install --force" replaces its files and keeps backups`);
  }
  await makePrivateDirectory(directory);
  if (existed) await chmod(directory, 0o700);
  const stamp = new Date().toISOString().replaceAll(/[:.]/g, "-");
  const rows: string[][] = [];
  for (const template of readTemplates()) rows.push([template.name, await writeTemplate(directory, template, stamp)]);

  const paint = painter(context.stdout);
  context.stdout.write(
    `${existed ? "Renewed" : "Made"} ${paint("bold", shown)}\n${table(
      rows.map(([name = "", what = ""]) => [name, paint("dim", what)]),
      "  ",
    )}\n` +
      `It works as it is: every request keeps its model and its own login or key.\n\nNext steps\n` +
      table(
        [
          ["ccproxy run claude", paint("dim", "use Claude Code through the proxy")],
          ["ccproxy start -d", paint("dim", "or run a server for everything on this machine")],
          [`${shown}/ccproxy.yaml`, paint("dim", "switch on rules that choose another model")],
          ["ccproxy check", paint("dim", "see where each model goes")],
        ],
        "  ",
      ),
  );
};
export default install;

/** @returns what was done, for the person who asked */
async function writeTemplate(directory: string, { name, text }: TemplateFile, stamp: string): Promise<string> {
  const path = join(directory, ...name.split("/"));
  await makePrivateDirectory(dirname(path));
  if (!(await exists(path))) {
    await writePrivateFile(path, text);
    return "written";
  }
  // What stands in rules/ and hooks/ is the user's, our own words about it included.
  if (name.includes("/")) return "left as it was";
  const current = await readFile(path, "utf8").catch(() => undefined);
  if (current === text) {
    await chmod(path, 0o600);
    return "is up to date";
  }
  const backup = `${path}.${stamp}.bak`;
  await rename(path, backup);
  await chmod(backup, 0o600).catch(() => undefined);
  await writePrivateFile(path, text);
  return `replaced, the old one is ${name}.${stamp}.bak`;
}

async function exists(path: string): Promise<boolean> {
  return (await lstat(path).catch(() => undefined)) !== undefined;
}
