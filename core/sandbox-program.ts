/** What a hook host runs, and the few files it may read for it. */

import { existsSync, realpathSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";

import { guestRuntime } from "./sandbox/guest-runtime.ts";
import type { HostProgram } from "./sandbox/host-process.ts";
import { hostProgram } from "./sandbox/host-program.ts";

/** @throws Error when the package is not complete */
export async function readHostProgram(): Promise<HostProgram> {
  const [program, runtime] = await Promise.all([hostProgram(), guestRuntime()]);
  const entry = realpathSync(program);
  // Bundled it is one file; built, it imports others of the build.
  const own = entry.endsWith(".mjs") ? entry : `${resolve(dirname(entry), "../..")}/`;
  return { entry, runtime, readable: [own, ...isolateFolders(entry)] };
}

/** Where the module of the isolates and its loader lie, as a program finds them. @param entry its path, links resolved */
export function isolateFolders(entry: string): readonly string[] {
  const isolates = packageFolder("isolated-vm", entry);
  const addons = packageFolder("node-gyp-build", `${isolates}/package.json`);
  return [...placesOf("isolated-vm", entry, isolates), ...placesOf("node-gyp-build", `${isolates}/package.json`, addons)];
}

function packageFolder(name: string, from: string): string {
  return dirname(createRequire(from).resolve(`${name}/package.json`));
}

/** Some package managers put links where others put folders; what is behind one is found only by whoever may read the link. */
function placesOf(name: string, from: string, folder: string): readonly string[] {
  for (let at = dirname(from); ; at = dirname(at)) {
    const place = join(at, "node_modules", name);
    if (existsSync(place)) return place === folder ? [`${folder}/`] : [place, `${folder}/`];
    if (at === dirname(at)) return [`${folder}/`];
  }
}
