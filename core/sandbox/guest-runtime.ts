/** The script that makes a context a place to run user code in: the files of guest/, put together once per process. */

import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { build, type BuildOptions } from "esbuild";

let built: Promise<string> | undefined;

/** A script whose value is the runtime's entry function, see guest/entry-format.ts; it leaves nothing in the global scope. */
export function guestRuntime(): Promise<string> {
  built ??= bundle();
  return built;
}

async function bundle(): Promise<string> {
  const urlScript = await bundleScript({
    entryPoints: [sourceFile("guest/url")],
    globalName: "classes",
    banner: { js: "(()=>{" },
    footer: { js: "return classes})()" },
  });
  return bundleScript({
    entryPoints: [sourceFile("guest/main")],
    define: { urlScript: JSON.stringify(urlScript) },
    globalName: "runtime",
    // A variable of a script would be visible to all code that follows; this one is inside a function.
    banner: { js: '(()=>{"use strict";' },
    footer: { js: "return runtime.entry})()" },
  });
}

async function bundleScript(options: BuildOptions): Promise<string> {
  const { outputFiles } = await build({
    ...options,
    bundle: true,
    write: false,
    format: "iife",
    platform: "neutral",
    target: "es2024",
    mainFields: ["module", "main"],
    minifyWhitespace: true,
    minifySyntax: true,
    minifyIdentifiers: true,
    logLevel: "silent",
    tsconfigRaw: {},
  });
  return outputFiles?.[0]?.text ?? "";
}

/** TypeScript in a checkout, what became of it in a package. @param name relative to this folder, without ending */
export function sourceFile(name: string): string {
  const path = fileURLToPath(new URL(`./${name}`, import.meta.url));
  return existsSync(`${path}.ts`) ? `${path}.ts` : `${path}.js`;
}
