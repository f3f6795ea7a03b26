/** Which places of a document a patch touches, for traces and messages. */

import type { Patch } from "../body/patch-format.ts";

const maxPaths = 50;

/** E.g. `system`, `messages[3].content`, `tools` where elements came or went; the first 50 of them. */
export function changedPaths(patch: Patch): readonly string[] {
  const paths: string[] = [];
  collect(patch, "", paths);
  return paths;
}

function collect(patch: Patch, path: string, paths: string[]): void {
  if (paths.length >= maxPaths) return;
  if ("o" in patch) {
    for (const [key, member] of Object.entries(patch.o)) {
      const at = path === "" ? key : `${path}.${key}`;
      if (member === null) paths.push(`-${at}`);
      else collect(member, at, paths);
    }
  } else if ("e" in patch) {
    for (const [index, element] of Object.entries(patch.e)) collect(element, `${path}[${index}]`, paths);
  } else {
    paths.push(path === "" ? "everything" : path);
  }
}
