/** The folder `.sdk` of a configuration: what an editor needs to know the types of `ccproxy/sdk`. */

import { existsSync } from "node:fs";
import { lstat, readFile } from "node:fs/promises";
import { join } from "node:path";
import { makePrivateDirectory, writePrivateFile } from "../core/private-file.ts";
import { packagedFolder } from "./packaged-folder.ts";

export const typesFolder = ".sdk";

/**
 * Brings the folder to the version that is installed; it is never edited by hand.
 * @returns whether anything was written
 */
export async function writeEditorTypes(directory: string): Promise<boolean> {
  const folder = join(directory, typesFolder);
  await makePrivateDirectory(folder);
  const written = await Promise.all(
    (await typeFiles()).map(async ({ name, text }) => {
      const path = join(folder, name);
      if ((await readFile(path, "utf8").catch(() => undefined)) === text) return false;
      await writePrivateFile(path, text);
      return true;
    }),
  );
  return written.includes(true);
}

/** The same for a server that starts: only where an installation made the folder. What cannot be written is no reason not to start. */
export async function refreshEditorTypes(directory: string): Promise<void> {
  if (existsSync(join(directory, typesFolder))) await writeEditorTypes(directory).catch(() => undefined);
}

/** Whether the user's own tsconfig.json leads to the types. Undefined when there is no such file. */
export async function knowsTypes(directory: string): Promise<boolean | undefined> {
  const path = join(directory, "tsconfig.json");
  if ((await lstat(path).catch(() => undefined)) === undefined) return undefined;
  return (await readFile(path, "utf8").catch(() => "")).includes(typesFolder);
}

interface TypeFile {
  readonly name: string;
  readonly text: string;
}

/** The sources themselves: what an editor shows on hover, and opens on request, is what runs. */
async function typeFiles(): Promise<readonly TypeFile[]> {
  const sdk = packagedFolder("sdk");
  const found = new Map<string, string>();
  const collect = async (name: string): Promise<void> => {
    if (found.has(name)) return;
    const text = await readFile(new URL(name, sdk), "utf8");
    found.set(name, text);
    for (const [, imported = ""] of text.matchAll(/ from "\.\/([\w-]+\.ts)";/g)) await collect(imported);
  };
  await collect("index.ts");
  await collect("testing.ts");
  const templates = packagedFolder("cli/templates");
  for (const name of ["globals.d.ts", "tsconfig.json"]) found.set(name, await readFile(new URL(`sdk/${name}`, templates), "utf8"));
  return Array.from(found, ([name, text]) => ({ name, text }));
}
