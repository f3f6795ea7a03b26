/** Makes what is measured out of the sources: plain JavaScript, as an installed package holds it. Stripping types at start costs memory and time. */

import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { stripTypeScriptTypes } from "node:module";
import { join } from "node:path";

let builtPackage: string | undefined;

/**
 * Builds ccproxy into the cache, once per run.
 * @returns the launcher's path
 */
export function buildPackage(root: string, cache: string): string {
  if (builtPackage === undefined) {
    const folder = join(cache, "built");
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
    const compiler = join(root, "node_modules/typescript/bin/tsc");
    const args = [compiler, "-p", join(root, "tsconfig.build.json"), "--outDir", join(folder, "dist")];
    const result = spawnSync(process.execPath, args, { cwd: root, encoding: "utf8" });
    // Type errors are for `npm run check` to report; the compiler writes its output all the same.
    if (!existsSync(join(folder, "dist/cli/main.js"))) throw new Error(`ccproxy could not be built: ${result.stdout}${result.stderr}`);
    cpSync(join(root, "bin"), join(folder, "bin"), { recursive: true });
    cpSync(join(root, "package.json"), join(folder, "package.json"));
    builtPackage = join(folder, "bin/ccproxy.js");
  }
  return builtPackage;
}

/** @returns the path of the bare pass-through as JavaScript. */
export function buildBare(root: string, cache: string): string {
  const file = join(cache, "bare.mjs");
  writeFileSync(file, stripTypeScriptTypes(readFileSync(join(root, "bench/bare.ts"), "utf8")));
  return file;
}
