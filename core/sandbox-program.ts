/** What a hook host runs, and the few files it may read for it. */

import { createRequire } from "node:module";
import { dirname, resolve } from "node:path";

import { guestRuntime } from "./sandbox/guest-runtime.ts";
import type { HostProgram } from "./sandbox/host-process.ts";
import { hostProgram } from "./sandbox/host-program.ts";

/** @throws Error when the package is not complete */
export async function readHostProgram(): Promise<HostProgram> {
  const [entry, runtime] = await Promise.all([hostProgram(), guestRuntime()]);
  const isolates = packageFolder("isolated-vm", import.meta.url);
  const addons = packageFolder("node-gyp-build", `${isolates}/package.json`);
  // Bundled it is one file; built, it imports others of the build.
  const own = entry.endsWith(".mjs") ? entry : `${resolve(dirname(entry), "../..")}/`;
  return { entry, runtime, readable: [own, `${isolates}/`, `${addons}/`] };
}

function packageFolder(name: string, from: string): string {
  return dirname(createRequire(from).resolve(`${name}/package.json`));
}
