/** The only way for esbuild to files: every import is resolved, checked and read by us. */

import { dirname, extname } from "node:path";
import type { Loader, OnLoadArgs, OnLoadResult, OnResolveArgs, OnResolveResult, PartialMessage, Plugin, PluginBuild } from "esbuild";
import { checkDirections } from "./invisible-directions.ts";
import { readSource } from "./read-source.ts";
import { ownQuestion, resolveImport, type ImportRequest, type ImportTarget } from "./resolve-import.ts";
import { displayName, type Zone } from "./zone.ts";

/** Where a bundle begins. */
export type Entry =
  /** `path` has no links and lies in the zone. */
  | { readonly type: "file"; readonly path: string; readonly zone: Zone }
  /** Resolved like an import in a file that stands in the zone's root. */
  | { readonly type: "package"; readonly specifier: string; readonly zone: Zone }
  /** A file of tests: what is bundled is the hook that runs them. `path` as for a file. */
  | { readonly type: "tests"; readonly path: string; readonly zone: Zone };

/** A file that was read. */
export interface Input {
  /** Absolute, without links. */
  readonly path: string;
  readonly zone: Zone;
  readonly signature: string;
  /** SHA-256, hexadecimal. */
  readonly digest: string;
}

export interface KnownFile {
  readonly name: string;
  readonly path: string;
  readonly zone: Zone;
}

/** What happened in a build; filled while it runs. */
export interface BuildRecord {
  /** Every file that was led to, by its name in messages and maps. */
  readonly files: ReadonlyMap<string, KnownFile>;
  readonly inputs: readonly Input[];
  /** Absolute paths that were looked for in vain. */
  readonly tried: readonly string[];
  entry(): KnownFile | undefined;
}

/** Of the module that stands before a file of tests. */
const testsNamespace = "tests";

/** Not the disk: for files of its own esbuild would read source maps and package.json by itself. */
export const sourceNamespace = "user";

const loaders: ReadonlyMap<string, Loader> = new Map([
  ...[".ts", ".mts", ".cts"].map((ending) => [ending, "ts"] as const),
  ...[".js", ".mjs", ".cjs"].map((ending) => [ending, "js"] as const),
  [".json", "json"],
  ...[".txt", ".md"].map((ending) => [ending, "text"] as const),
]);

/** One plugin for one build. */
export function createPlugin(entry: Entry): { readonly plugin: Plugin; readonly record: BuildRecord } {
  const files = new Map<string, KnownFile>();
  const inputs: Input[] = [];
  const tried: string[] = [];
  const targets = new Map<string, Promise<ImportTarget>>();
  let first: KnownFile | undefined;

  /** Two packages of the same name, in two places, keep apart. */
  function register(path: string, zone: Zone): KnownFile {
    const plain = displayName(zone, path);
    for (let copy = 1; ; copy += 1) {
      const name = copy === 1 ? plain : `${plain}?${copy}`;
      const known = files.get(name);
      if (known?.path === path) return known;
      if (known !== undefined) continue;
      const file = { name, path, zone };
      files.set(name, file);
      return file;
    }
  }

  /** Files of one folder import the same again and again. */
  function resolveOnce(build: PluginBuild, request: ImportRequest): Promise<ImportTarget> {
    const key = JSON.stringify([request.folder, request.specifier, request.kind]);
    const known = targets.get(key) ?? resolveImport(build, request);
    targets.set(key, known);
    return known;
  }

  async function onResolve(build: PluginBuild, args: OnResolveArgs): Promise<OnResolveResult | undefined> {
    if (args.pluginData === ownQuestion) return undefined;
    const isEntry = args.kind === "entry-point";
    if (isEntry && entry.type === "file") {
      first = register(entry.path, entry.zone);
      return { path: first.name, namespace: sourceNamespace };
    }
    if (isEntry && entry.type === "tests") {
      first = register(entry.path, entry.zone);
      return { path: first.name, namespace: testsNamespace };
    }
    if (args.namespace === testsNamespace && first !== undefined && args.path === testsOfFile) {
      return { path: first.name, namespace: sourceNamespace, sideEffects: true };
    }
    const importer = files.get(args.importer);
    const specifier = isEntry && entry.type === "package" ? entry.specifier : args.path;
    const zone = importer?.zone ?? entry.zone;
    const folder = importer === undefined ? zone.root : dirname(importer.path);
    const target = await resolveOnce(build, { specifier, kind: isEntry ? "import-statement" : args.kind, folder, zone });
    if (target.type === "refused") {
      tried.push(...target.tried);
      return { errors: [{ text: target.message }] };
    }
    const file = register(target.path, target.zone);
    if (isEntry) first = file;
    return { path: file.name, namespace: sourceNamespace, sideEffects: target.sideEffects };
  }

  async function onLoad(args: OnLoadArgs): Promise<OnLoadResult> {
    const file = files.get(args.path);
    if (file === undefined) return { errors: [{ text: `${args.path} was never led to` }] };
    const ending = extname(file.path);
    const loader = loaders.get(ending);
    // Of the first file the finding itself says the name.
    const subject = file === first ? "" : `${file.name} `;
    if (loader === undefined) return { errors: [{ text: unknownEnding(file.name, ending) }] };
    const source = await readSource(file.path, file.zone.root);
    if (source.type === "refused") return { errors: [{ text: `${subject}${source.why}.` }] };
    inputs.push({ path: file.path, zone: file.zone, signature: source.signature, digest: source.digest });
    const warnings: PartialMessage[] = file.zone.kind === "user" && loader !== "text" ? checkDirections(source.text, file.name) : [];
    return { contents: withoutMapReference(source.text), loader: args.with["type"] === "text" ? "text" : loader, warnings };
  }

  const plugin: Plugin = {
    name: "ccproxy",
    setup(build) {
      build.onResolve({ filter: /.*/ }, async (args) => await onResolve(build, args));
      build.onLoad({ filter: /.*/, namespace: sourceNamespace }, onLoad);
      build.onLoad({ filter: /.*/, namespace: testsNamespace }, () => ({ contents: runnerOfTests }));
    },
  };
  return { plugin, record: { files, inputs, tried, entry: () => first } };
}

const testsOfFile = "ccproxy:tests";
const runnerOfTests = `import "${testsOfFile}"; export { testHook as default } from "ccproxy/sdk/testing";`;

/** Of the same length. esbuild would read the map that is named, wherever it lies, and show it in messages. */
function withoutMapReference(text: string): string {
  return text.replaceAll(/([#@]\s*)sourceMappingURL=/g, "$1sourceMappingURL:");
}

function unknownEnding(name: string, ending: string): string {
  if (ending === ".tsx" || ending === ".jsx")
    return `${name} is a file for JSX, which has no use here. Rename it to ${ending === ".tsx" ? ".ts" : ".js"}.`;
  if (ending === ".node") return `${name} is native code, which a sandbox cannot hold.`;
  if (ending === ".wasm") return `${name} is WebAssembly, which is switched off in the sandbox.`;
  return `${name} cannot be imported; what can are files ending in ${[...loaders.keys()].join(", ")}.`;
}
