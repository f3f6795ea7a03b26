/** What a folder of the Python original holds that is replaced here, or has to be ported: told of, never in the way. */

import { access } from "node:fs/promises";
import { join } from "node:path";
import type { Report } from "./report.ts";

const leftovers: Readonly<Record<string, string>> = {
  "ccproxy.py": "is not in effect: the handler it sets up is built in. The file can go.",
  "litellm.lock": "is not in effect: the state of a running server is kept elsewhere. The file can go.",
};

/** One note for each file of the original that has no meaning here. */
export async function noteLeftovers(directory: string, report: Report): Promise<void> {
  for (const [name, message] of Object.entries(leftovers)) {
    const file = join(directory, name);
    if (await exists(file)) report.file("note", file, message);
  }
}

/** What to do about a rule or hook in Python. @param path its file, relative to the folder */
export function howToPort(kind: "rule" | "hook", path: string): string {
  const what = kind === "rule" ? "a function of the request that says whether it matches" : "functions that take the request or the reply";
  const builtIn = kind === "rule" ? " A built-in rule (ccproxy.rules.*) may do already." : "";
  return `Port it to TypeScript as ${path.replace(/\.py$/, ".ts")}: ${what}.${builtIn}`;
}

/** `a.b.C` is `a/b.py` in the folder, as LiteLLM looks it up; a written file name is meant as such. Undefined when there is none. */
export async function findPython(reference: string, directory: string): Promise<string | undefined> {
  if (/^ccproxy\.(rules|hooks)\./.test(reference)) return undefined;
  const asFile = /^(?:\.\/)?((?:[\w-]+\/)*[\w-]+\.py)(?::\w+)?$/.exec(reference);
  const asModule = /^((?:\w+\.)*)(\w+)\.\w+$/.exec(reference);
  const modulePath = asModule === null ? undefined : `${(asModule[1] ?? "").replaceAll(".", "/")}${asModule[2]}.py`;
  for (const path of [asFile?.[1], modulePath]) {
    if (path !== undefined && (await exists(join(directory, path)))) return path;
  }
  return undefined;
}

async function exists(file: string): Promise<boolean> {
  try {
    await access(file);
    return true;
  } catch {
    return false;
  }
}
