/** The JavaScript that a hook host runs. */

import { createHash } from "node:crypto";
import { mkdir, rename, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { sourceFile } from "./guest-runtime.ts";

let made: Promise<string> | undefined;

/**
 * Absolute path of the host's program. In a package it is one of its files; in a checkout, where the host's Node
 * could not read TypeScript (that takes WebAssembly, which it does without), it is bundled into node_modules/.cache.
 */
export function hostProgram(): Promise<string> {
  const source = sourceFile("host/main");
  made ??= source.endsWith(".js") ? Promise.resolve(source) : bundle(source);
  return made;
}

async function bundle(source: string): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [source],
    bundle: true,
    write: false,
    format: "esm",
    platform: "node",
    target: "node24",
    external: ["isolated-vm"],
    logLevel: "silent",
    tsconfigRaw: {},
  });
  const text = outputFiles[0]?.text ?? "";
  const folder = fileURLToPath(new URL("../../node_modules/.cache/ccproxy", import.meta.url));
  const path = `${folder}/host-${createHash("sha256").update(text).digest("hex").slice(0, 16)}.mjs`;
  await mkdir(folder, { recursive: true });
  // Several processes may do this at once.
  const temporary = `${path}.${process.pid}`;
  await writeFile(temporary, text);
  await rename(temporary, path);
  return path;
}
