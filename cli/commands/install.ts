/** `ccproxy install`: writes a configuration folder that serves Claude Code as it is, and that an editor understands. */

import { chmod, lstat, readFile, rename } from "node:fs/promises";
import { dirname, join } from "node:path";
import { makePrivateDirectory, writePrivateFile } from "../../core/private-file.ts";
import { configDirectory } from "../config-directory.ts";
import type { Command, CommonOptions } from "../context.ts";
import { painter, shortPath, table } from "../display.ts";
import { knowsTypes, typesFolder, writeEditorTypes } from "../editor-types.ts";
import { CliFailure } from "../failure.ts";
import { readTemplates, type TemplateFile } from "../template-files.ts";

interface InstallOptions extends CommonOptions {
  readonly force?: boolean;
}

const install: Command<InstallOptions> = async (context, options) => {
  const directory = configDirectory(context, options);
  const shown = shortPath(directory);
  const existing = await lstat(directory).catch(() => undefined);
  if (existing !== undefined && !existing.isDirectory() && !existing.isSymbolicLink())
    throw new CliFailure(`${shown} is not a folder, and was left alone; --config-dir names another place`);
  const existed = existing !== undefined;
  const replaces = options.force === true;
  await makePrivateDirectory(directory);
  if (existed && replaces) await chmod(directory, 0o700);
  const stamp = new Date().toISOString().replaceAll(/[:.]/g, "-");
  const rows: string[][] = [];
  for (const template of readTemplates()) {
    rows.push([template.name, await writeTemplate(directory, template, replaces ? stamp : undefined)]);
  }
  const renewed = await writeEditorTypes(directory);
  rows.push([`${typesFolder}/`, renewed ? "written, types for your editor" : "is up to date"]);

  const paint = painter(context.stdout);
  const what = !existed ? "Made" : replaces ? "Renewed" : "Completed";
  context.stdout.write(
    `${what} ${paint("bold", shown)}\n${table(
      rows.map(([name = "", done = ""]) => [name, paint("dim", done)]),
      "  ",
    )}`,
  );
  if (existed && !replaces) context.stdout.write(`What was there is unchanged; "ccproxy install --force" replaces it and keeps backups.\n`);
  if ((await knowsTypes(directory)) === false) context.stdout.write(`${ownTsconfig(shown)}\n`);
  context.stdout.write(
    `${existed ? "" : "It works as it is: every request keeps its model and its own login or key.\n"}\nNext steps\n${table(
      [
        ["ccproxy run claude", paint("dim", "use Claude Code through the proxy")],
        ["ccproxy start -d", paint("dim", "or run a server for everything on this machine")],
        [`${shown}/ccproxy.yaml`, paint("dim", "switch on rules that choose another model")],
        ["ccproxy new rule NAME", paint("dim", "or write one of your own")],
        ["ccproxy check", paint("dim", "see where each model goes")],
      ],
      "  ",
    )}`,
  );
};
export default install;

function ownTsconfig(shown: string): string {
  return `Your tsconfig.json does not know the types of rules and hooks: let it extend "./${typesFolder}/tsconfig.json" (${shown}/${typesFolder}).`;
}

/**
 * @param stamp of backups; undefined to leave what is there alone
 * @returns what was done, for the person who asked
 */
async function writeTemplate(directory: string, { name, text }: TemplateFile, stamp: string | undefined): Promise<string> {
  const path = join(directory, ...name.split("/"));
  await makePrivateDirectory(dirname(path));
  const other = name.endsWith(".yaml") ? name.replace(/\.yaml$/, ".yml") : undefined;
  if (stamp === undefined && other !== undefined && (await exists(join(directory, other)))) return `not written: ${other} is there`;
  if (!(await exists(path))) {
    await writePrivateFile(path, text);
    return "written";
  }
  const current = await readFile(path, "utf8").catch(() => undefined);
  const isUsers = name.includes("/") || name === "tsconfig.json";
  if (current === text && !name.includes("/")) {
    if (stamp !== undefined) await chmod(path, 0o600);
    return "is up to date";
  }
  // What stands in rules/ and hooks/ is the user's, our own words about it included; so is what an editor is told.
  if (stamp === undefined || isUsers) return "left as it was";
  const backup = `${path}.${stamp}.bak`;
  await rename(path, backup);
  await chmod(backup, 0o600).catch(() => undefined);
  await writePrivateFile(path, text);
  return `replaced, the old one is ${name}.${stamp}.bak`;
}

async function exists(path: string): Promise<boolean> {
  return (await lstat(path).catch(() => undefined)) !== undefined;
}
