/** Finds the files of `rules/` and `hooks/` that are loaded without an entry in the configuration. */

import { readdir, realpath } from "node:fs/promises";
import { extname, join } from "node:path";
import { codeEndings } from "./near-misses.ts";
import type { IgnoredFile } from "./types.ts";
import { isWithin } from "./zone.ts";

export interface FoundFile {
  readonly kind: "rule" | "hook";
  /** e.g. `rules/vip.ts`. */
  readonly file: string;
  /** Absolute, without links. */
  readonly path: string;
}

export interface Discovered {
  /** Rules in the order of their names, then hooks likewise. */
  readonly found: readonly FoundFile[];
  readonly ignored: readonly IgnoredFile[];
  /** Folders that were looked into, or for; absolute. */
  readonly folders: readonly string[];
}

const folders = [
  ["rule", "rules"],
  ["hook", "hooks"],
] as const;

/**
 * @param root  the user's folder, without links
 * @param named files that an entry names, absolute and without links, with where it stands
 */
export async function discoverFiles(root: string, named: ReadonlyMap<string, string>): Promise<Discovered> {
  const found: FoundFile[] = [];
  const ignored: IgnoredFile[] = [];
  for (const [kind, folder] of folders) {
    const path = join(root, folder);
    const entries = await readdir(path, { withFileTypes: true }).catch(() => []);
    const real = await realpath(path).catch(() => path);
    if (!isWithin(root, real)) {
      ignored.push({ file: folder, why: "it is a link that leads out of the folder of the configuration" });
      continue;
    }
    for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
      const file = `${folder}/${entry.name}`;
      if (isOfNoInterest(entry.name)) continue;
      const target = await realpath(join(real, entry.name)).catch(() => undefined);
      const why = entry.isDirectory() ? "files in sub-folders are not loaded without an entry" : whyNot(entry.name, target, root, named);
      if (why !== undefined || target === undefined) ignored.push({ file, why: why ?? "it leads nowhere" });
      else found.push({ kind, file, path: target });
    }
  }
  return { found, ignored, folders: folders.map(([, folder]) => join(root, folder)) };
}

/** What nobody would take for a rule or hook. */
function isOfNoInterest(name: string): boolean {
  const isHidden = name.startsWith(".") && !codeEndings.includes(extname(name));
  return isHidden || /\.(?:md|txt|json|py|pyc)$/i.test(name) || name === "__pycache__" || name === "node_modules";
}

function whyNot(name: string, target: string | undefined, root: string, named: ReadonlyMap<string, string>): string | undefined {
  if (/^[_.]/.test(name)) return `its name begins with ${name.charAt(0)}`;
  if (/\.test\.m?[jt]s$/.test(name)) return "it is a test";
  if (/\.d\.m?ts$/.test(name)) return "it declares types only";
  if (!codeEndings.includes(extname(name))) return `its name does not end in ${codeEndings.join(", ")}`;
  if (target === undefined) return "it is a link that leads nowhere";
  if (!isWithin(root, target)) return "it is a link that leads out of the folder of the configuration";
  const entry = named.get(target);
  return entry === undefined ? undefined : `the entry at ${entry} names it`;
}
