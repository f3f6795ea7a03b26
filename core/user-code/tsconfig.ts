/** The compiler options of the user's own tsconfig.json, as far as they say how code is to be compiled. */

import { dirname, join, resolve } from "node:path";
import { isMapping } from "../config/tree.ts";
import { readTextFile } from "../config/text-file.ts";
import type { Fault } from "../config/types.ts";
import { isWithin } from "./zone.ts";

export interface CompilerOptions {
  /** JSON for esbuild, which with it looks for no tsconfig.json anywhere. */
  readonly raw: string;
  readonly faults: readonly Fault[];
  /** Read or looked for, absolute. */
  readonly files: readonly string[];
}

/** Those esbuild knows, apart from the ones for JSX, and `paths` and `baseUrl`, which are read by us. */
const known: ReadonlySet<string> = new Set([
  "alwaysStrict",
  "experimentalDecorators",
  "importsNotUsedAsValues",
  "preserveValueImports",
  "strict",
  "target",
  "useDefineForClassFields",
  "verbatimModuleSyntax",
]);
const maxDepth = 8;

/** @param directory the user's folder, without links */
export async function readCompilerOptions(directory: string): Promise<CompilerOptions> {
  const faults: Fault[] = [];
  const files: string[] = [];
  const options = await read(join(directory, "tsconfig.json"), 0);
  return { raw: JSON.stringify({ compilerOptions: options }), faults, files };

  async function read(file: string, depth: number): Promise<Record<string, unknown>> {
    files.push(file);
    const found = await readTextFile(file);
    if (found.type === "absent") {
      if (depth > 0) warn(file, "does not exist, though a tsconfig.json extends it; its options are not used.");
      return {};
    }
    const content = found.type === "text" ? parse(found.text) : undefined;
    if (!isMapping(content)) {
      warn(file, found.type === "refused" ? found.message : "is not valid JSON; its options are not used.");
      return {};
    }
    const bases: readonly unknown[] = Array.isArray(content["extends"]) ? content["extends"] : [content["extends"]];
    const inherited = await Promise.all(bases.map(async (base) => await readBase(base, file, depth)));
    const layers = [...inherited, ownOptions(content["compilerOptions"], dirname(file))];
    return Object.fromEntries(layers.flatMap((layer) => Object.entries(layer)));
  }

  async function readBase(base: unknown, file: string, depth: number): Promise<Record<string, unknown>> {
    if (typeof base !== "string") return {};
    const path = resolve(dirname(file), base.endsWith(".json") ? base : `${base}.json`);
    const relative = base.startsWith("./") || base.startsWith("../");
    if (relative && isWithin(directory, path) && depth < maxDepth) return await read(path, depth + 1);
    const why = relative ? "leads out of the folder of the configuration" : "is not a file in the folder of the configuration";
    warn(file, `extends ${JSON.stringify(base)}, which ${why}; it is not read, and its options are not used for compiling.`);
    return {};
  }

  function ownOptions(written: unknown, folder: string): Record<string, unknown> {
    if (!isMapping(written)) return {};
    const options: Record<string, unknown> = Object.fromEntries(Object.entries(written).filter(([name]) => known.has(name)));
    const { baseUrl, paths } = written;
    const base = typeof baseUrl === "string" ? resolve(folder, baseUrl) : undefined;
    // What they lead to is checked like every other import.
    if (isMapping(paths)) options["paths"] = paths;
    if (base !== undefined && isWithin(directory, base)) options["baseUrl"] = base;
    else if (isMapping(paths)) options["baseUrl"] = folder;
    return options;
  }

  function warn(file: string, message: string): void {
    faults.push({ severity: "warning", file, message });
  }
}

/** JSON with comments and trailing commas; undefined when it is not even that. */
function parse(text: string): unknown {
  const bare = text.replace(/"(?:[^"\\\n]|\\.)*"|\/\/[^\n]*|\/\*[^]*?\*\//g, (part) => (part.startsWith('"') ? part : " "));
  const strict = bare.replace(/"(?:[^"\\\n]|\\.)*"|,(?=\s*[\]}])/g, (part) => (part === "," ? "" : part));
  try {
    return JSON.parse(strict);
  } catch {
    return undefined;
  }
}
