/** Finds one of the two files of a configuration folder, under either of the endings YAML has. */

import { join } from "node:path";
import type { Report } from "./report.ts";
import { readSource } from "./source.ts";
import type { Tree } from "./tree.ts";

export interface FoundFile {
  /** Absolute. */
  readonly file: string;
  /** Undefined when it is there but cannot be used; why is in the report. */
  readonly tree: Tree | undefined;
}

/** Undefined when there is neither `<name>.yaml` nor `<name>.yml`. */
export async function findFile(directory: string, name: "config" | "ccproxy", report: Report): Promise<FoundFile | undefined> {
  const file = join(directory, `${name}.yaml`);
  const otherFile = join(directory, `${name}.yml`);
  const tree = await readSource(file, report);
  if (tree === "absent") {
    const other = await readSource(otherFile, report);
    return other === "absent" ? undefined : { file: otherFile, tree: other };
  }
  if ((await readSource(otherFile, silent)) !== "absent") {
    report.file("warning", otherFile, `is not read, because ${name}.yaml is there too. Remove one of them.`);
  }
  return { file, tree };
}

const silent: Report = { error() {}, warning() {}, note() {}, file() {}, faults: () => [], hasErrors: () => false };
