/** Turns one file and all it imports into one script that leaves its exports in `__exports`. */

import { build, type BuildOptions, type Message, type OutputFile, type Plugin } from "esbuild";
import type { Fault } from "../config/types.ts";
import { createPlugin, sourceNamespace, type BuildRecord, type Entry, type Input } from "./bundle-plugin.ts";
import { logOverride, readMessages } from "./esbuild-messages.ts";
import { whileInUse } from "./esbuild-service.ts";
import { isModuleOfNames } from "./export-names.ts";
import type { Zone } from "./zone.ts";

export interface Bundle {
  /** The file that was begun with, absolute. */
  readonly path: string;
  readonly zone: Zone;
  /** e.g. `rules/vip.ts`. */
  readonly name: string;
  /** Strict script; leaves the exports in the global `__exports`. */
  readonly code: string;
  /** Source map, JSON; its sources are named as in `displayName`. */
  readonly map: string;
  readonly inputs: readonly Input[];
  /** Absolute paths that would change it if they came to be. */
  readonly tried: readonly string[];
  /** What is doubtful in the user's files. */
  readonly warnings: readonly Fault[];
}

export type BundleResult =
  | { readonly type: "bundled"; readonly bundle: Bundle }
  | { readonly type: "failed"; readonly faults: readonly Fault[]; readonly inputs: readonly Input[]; readonly tried: readonly string[] };

/** More than this is no rule, and would be loaded anew into each isolate. */
const maxBundleBytes = 2 * 1024 * 1024;

/**
 * Never rejects for anything that stands in the files.
 *
 * @param compilerOptions JSON, see `tsconfig.ts`
 */
export async function bundle(entry: Entry, compilerOptions: string): Promise<BundleResult> {
  const { plugin, record } = createPlugin(entry);
  const built = await run({ ...options(compilerOptions, plugin), format: "iife", globalName: "__exports", sourcemap: "external" });
  const { inputs, tried } = record;
  const { errors, warnings } = readMessages(built, record, entry.zone.root);
  const code = built.files.find(({ path }) => path.endsWith(".js"))?.text;
  const map = built.files.find(({ path }) => path.endsWith(".map"))?.text;
  const start = record.entry();
  if (errors.length > 0 || code === undefined || map === undefined || start === undefined)
    return { type: "failed", faults: errors, inputs, tried };
  if (Buffer.byteLength(code) > maxBundleBytes) {
    const message = `comes to ${Buffer.byteLength(code)} bytes with all it imports; at most ${maxBundleBytes} are loaded. ${largest(built, record)}`;
    return { type: "failed", faults: [{ severity: "error", file: start.path, message }], inputs, tried };
  }
  const { name, path, zone } = start;
  const complete = isModuleOfNames(code) ? code : `${code}${namesOfCommonJs}`;
  return { type: "bundled", bundle: { name, path, zone, code: complete, map: nameSources(map), inputs, tried, warnings } };
}

/** The names under which a file exports; undefined for a CommonJS file, which decides that when it runs. */
export async function readExports(entry: Entry, compilerOptions: string): Promise<readonly string[] | undefined> {
  const { plugin } = createPlugin(entry);
  const { exports } = await run({ ...options(compilerOptions, plugin), format: "esm" });
  return exports;
}

/** `module.exports` as a module with names, the whole being its default. */
const namesOfCommonJs = ";if(!__exports||!__exports.__esModule)__exports={...Object(__exports),default:__exports};\n";

function options(compilerOptions: string, plugin: Plugin): BuildOptions {
  return {
    entryPoints: ["entry"],
    outfile: "bundle.js",
    bundle: true,
    write: false,
    metafile: true,
    platform: "neutral",
    mainFields: ["module", "main"],
    conditions: ["import", "default"],
    target: "es2023",
    treeShaking: true,
    legalComments: "none",
    charset: "utf8",
    logLevel: "silent",
    logLimit: 20,
    logOverride,
    tsconfigRaw: compilerOptions,
    plugins: [plugin],
  };
}

export interface Built {
  readonly errors: readonly Message[];
  readonly warnings: readonly Message[];
  readonly files: readonly OutputFile[];
  readonly exports: readonly string[] | undefined;
  /** Bytes that each input takes in the output, by its name. */
  readonly sizes: ReadonlyMap<string, number>;
}

async function run(buildOptions: BuildOptions): Promise<Built> {
  try {
    const result = await whileInUse(async () => await build(buildOptions));
    const output = Object.entries(result.metafile?.outputs ?? {}).find(([name]) => name.endsWith(".js"))?.[1];
    const sizes = new Map(Object.entries(output?.inputs ?? {}).map(([name, { bytesInOutput }]) => [bareName(name), bytesInOutput]));
    const isCommonJs = result.metafile?.inputs[output?.entryPoint ?? ""]?.format === "cjs";
    const exports = isCommonJs ? undefined : (output?.exports ?? []);
    return { errors: result.errors, warnings: result.warnings, files: result.outputFiles ?? [], exports, sizes };
  } catch (error) {
    if (!(error instanceof Error) || !("errors" in error) || !("warnings" in error)) throw error;
    const { errors, warnings } = error as Error & { errors: readonly Message[]; warnings: readonly Message[] };
    return { errors, warnings, files: [], exports: [], sizes: new Map() };
  }
}

function largest({ sizes }: Built, { files }: BuildRecord): string {
  const byZone = new Map<string, number>();
  for (const [name, bytes] of sizes) {
    const zone = files.get(name)?.zone;
    const label = zone === undefined || zone.name === "" ? name : zone.name;
    byZone.set(label, (byZone.get(label) ?? 0) + bytes);
  }
  const [most] = [...byZone].sort(([, a], [, b]) => b - a);
  return most === undefined ? "" : `The largest part is ${most[0]} with ${most[1]} bytes.`;
}

/** esbuild writes names of files that did not come from the disk with their namespace. */
function bareName(name: string): string {
  return name.startsWith(`${sourceNamespace}:`) ? name.slice(sourceNamespace.length + 1) : name;
}

function nameSources(map: string): string {
  const parsed: unknown = JSON.parse(map);
  if (typeof parsed !== "object" || parsed === null || !("sources" in parsed) || !Array.isArray(parsed.sources)) return map;
  return JSON.stringify({ ...parsed, sources: parsed.sources.map((source) => bareName(String(source))) });
}
