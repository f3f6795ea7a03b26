/** What a hook host is started with: its program, the runtime of its contexts, and the few files it may read. */

import { realpath } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { guestRuntime } from "./guest-runtime.ts";
import { hostProgram } from "./host-program.ts";
import type { HostProgram } from "./host-process.ts";

/** @throws Error when the isolates' package cannot be found, or the programs cannot be put together */
export async function loadHostProgram(): Promise<HostProgram> {
  const [entry, runtime] = await Promise.all([hostProgram(), guestRuntime()]);
  const isolates = createRequire(import.meta.url).resolve("isolated-vm/package.json");
  const loader = createRequire(isolates).resolve("node-gyp-build/package.json");
  const folders = [dirname(isolates), dirname(loader)];
  // A program that is not one file imports its neighbours, and Node reads there which kind of modules they are.
  const own = isBundle(entry) ? [entry] : [dirname(dirname(entry)), fileURLToPath(new URL("../../package.json", import.meta.url))];
  const readable = await Promise.all([...own, ...folders].map((path) => realpath(path).catch(() => path)));
  return { entry, readable: [...new Set([...readable, ...own, ...folders])], runtime };
}

function isBundle(entry: string): boolean {
  return entry.endsWith(".mjs");
}
