/** What a folder of the Python original holds that is replaced here, or has to be ported: told of, never in the way. */

import { access } from "node:fs/promises";
import { join } from "node:path";
import { quote } from "./describe.ts";
import type { Report } from "./report.ts";
import { isMapping, valueOf, within, type Place } from "./tree.ts";

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

/** Rules or hooks that refer to a Python file in the configuration folder. */
export async function checkPythonReferences(list: Place, kind: "rule" | "hook", directory: string, report: Report): Promise<void> {
  const entries = valueOf(list);
  if (!Array.isArray(entries)) return;
  for (const index of entries.keys()) {
    const whole = within(list, index);
    const place = typeof valueOf(whole) === "string" ? whole : within(whole, kind);
    const reference = valueOf(place);
    const file = typeof reference === "string" ? await pythonFile(reference, directory) : undefined;
    if (file === undefined) continue;
    const message = `is Python (${file.path}), which cannot run here. ${howToPort(kind, file.module)}`;
    if (kind === "rule") report.error(place, `${message} Until then, take this entry out: its label would never be given.`);
    else report.warning(place, `${message} Until then it does nothing.`);
  }
}

const callbackKeys = ["callbacks", "success_callback", "failure_callback"];

/** @param settings place of `litellm_settings` */
export async function noteCallbacks(settings: Place, directory: string, report: Report): Promise<void> {
  for (const key of callbackKeys) {
    const place = within(settings, key);
    const value = valueOf(place);
    if (value == null) continue;
    if (typeof value === "string") await noteCallback(place, value, directory, report);
    else if (!Array.isArray(value)) report.warning(place, "is no list of names; it has no effect.");
    else {
      for (const [index, entry] of value.entries()) {
        const name: unknown = isMapping(entry) ? Object.keys(entry)[0] : entry;
        if (typeof name === "string") await noteCallback(within(place, index), name, directory, report);
        else report.warning(within(place, index), "is no name of a callback; it has no effect.");
      }
    }
  }
}

async function noteCallback(place: Place, name: string, directory: string, report: Report): Promise<void> {
  if (name === "ccproxy.handler" || name.startsWith("ccproxy.handler.")) {
    report.note(place, "names the handler of the Python original, which is built in; the entry has no effect and can go.");
    return;
  }
  const file = await pythonFile(name, directory);
  if (file !== undefined) report.warning(place, `is Python (${file.path}), which cannot run here. ${howToPort("hook", file.module)}`);
  else if (name.includes(".")) report.warning(place, `names ${quote(name)}, a Python callback, which cannot run here; it has no effect.`);
  else report.note(place, `names ${quote(name)}: accepted, not yet in effect; nothing is sent there. Requests are in ccproxy's own log.`);
}

function howToPort(kind: "rule" | "hook", module: string): string {
  const name = module.replaceAll("_", "-");
  const what = kind === "rule" ? "a function of the request that says whether it matches" : "functions that take the request or the reply";
  const builtIn = kind === "rule" ? " A built-in rule (ccproxy.rules.*) may do already." : "";
  return `Port it to TypeScript as ${kind}s/${name}.ts: ${what}.${builtIn}`;
}

/** `a.b.C` is `a/b.py` in the folder, as LiteLLM looks it up; a written file name is meant as such. */
async function pythonFile(reference: string, directory: string): Promise<{ path: string; module: string } | undefined> {
  if (/^ccproxy\.(rules|hooks)\./.test(reference)) return undefined;
  const asFile = /^(?:\.\/)?((?:[\w-]+\/)*([\w-]+)\.py)(?::\w+)?$/.exec(reference);
  const asModule = /^((?:\w+\.)*)(\w+)\.\w+$/.exec(reference);
  for (const [path, module] of [
    [asFile?.[1], asFile?.[2]],
    [asModule === null ? undefined : `${(asModule[1] ?? "").replaceAll(".", "/")}${asModule[2]}.py`, asModule?.[2]],
  ]) {
    if (path !== undefined && module !== undefined && (await exists(join(directory, path)))) return { path, module };
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
