/** `include` of config.yaml, with LiteLLM's meaning: lists grow, everything else is replaced, one level deep. */

import { realpath } from "node:fs/promises";
import { dirname, isAbsolute, join, relative, sep } from "node:path";
import type { Report } from "./report.ts";
import { readSource } from "./source.ts";
import { isMapping, within, type Path, type Place, type Tree } from "./tree.ts";
import type { Location } from "./types.ts";

export interface Included {
  readonly tree: Tree;
  /** Files that were read, the absent ones too: they may appear later. */
  readonly files: readonly string[];
}

/** The main file with its includes merged in. Files that cannot be read are in the report, and left out. */
export async function mergeIncludes(main: Tree, report: Report): Promise<Included> {
  if (!isMapping(main.value) || main.value["include"] == null) return { tree: main, files: [] };
  const place: Place = { tree: main, path: ["include"] };
  const list: unknown = main.value["include"];
  if (!Array.isArray(list)) {
    report.error(place, "is not a list; wanted a list of file names, e.g. [models.yaml].");
    return { tree: main, files: [] };
  }
  const parts: Tree[] = [main];
  const files: string[] = [];
  for (const [index, name] of list.entries()) {
    const file = await includeFile(name, within(place, index), report);
    if (file === undefined) continue;
    files.push(file);
    const tree = await readSource(file, report);
    if (tree === "absent")
      report.error(within(place, index), `names ${file}, which does not exist. Names count from the folder of the main file.`);
    else if (tree !== undefined && !isMapping(tree.value))
      report.error({ tree, path: [] }, "holds no mapping; wanted sections such as model_list.");
    else if (tree !== undefined) parts.push(tree);
  }
  return { tree: mergeTrees(parts), files };
}

/** Absolute path of an included file; undefined, and reported, when it would lead out of the folder. */
async function includeFile(name: unknown, place: Place, report: Report): Promise<string | undefined> {
  if (typeof name !== "string" || name === "") {
    report.error(place, "is no file name; wanted text, e.g. models.yaml.");
    return undefined;
  }
  const directory = dirname(place.tree.file);
  const file = join(directory, name);
  const outside = "leads out of the configuration folder; included files must lie in it. Move the file there.";
  if (isAbsolute(name) || !isInside(file, directory)) {
    report.error(place, outside);
    return undefined;
  }
  try {
    const real = await realpath(file);
    // A main file that is itself a link (dotfiles) may include what lies beside its target.
    const allowed = [await realpath(directory), dirname(await realpath(place.tree.file))];
    if (!allowed.some((folder) => isInside(real, folder))) {
      report.error(place, `is a link that ${outside}`);
      return undefined;
    }
  } catch {
    // Absent or unreadable: the reader says so.
  }
  return file;
}

function isInside(file: string, directory: string): boolean {
  const path = relative(directory, file);
  return path !== "" && path !== ".." && !path.startsWith(`..${sep}`) && !isAbsolute(path);
}

interface Section {
  readonly tree: Tree;
  /** Index of the section's first element in the merged list. */
  readonly from: number;
}

function mergeTrees(parts: readonly Tree[]): Tree {
  const values = new Map<string, unknown>();
  const sections = new Map<string, readonly Section[]>();
  for (const tree of parts) {
    if (!isMapping(tree.value)) continue;
    for (const [key, value] of Object.entries(tree.value)) {
      const before = values.get(key);
      if (Array.isArray(before) && Array.isArray(value)) {
        sections.set(key, [...(sections.get(key) ?? []), { tree, from: before.length }]);
        values.set(key, [...before, ...value]);
      } else {
        sections.set(key, [{ tree, from: 0 }]);
        values.set(key, value);
      }
    }
  }
  values.delete("include");
  const [main] = parts;
  const locate = (path: Path, part?: "key" | "value"): Location => {
    const [key, index, ...rest] = path;
    const found = typeof key === "string" ? sections.get(key) : undefined;
    const section = typeof index === "number" ? found?.findLast(({ from }) => from <= index) : found?.[0];
    if (section === undefined || key === undefined) return (main ?? parts[0])!.locate(path, part);
    if (index === undefined) return section.tree.locate([key], part);
    return section.tree.locate([key, typeof index === "number" ? index - section.from : index, ...rest], part);
  };
  return { file: main?.file ?? "", value: Object.fromEntries(values), locate };
}
