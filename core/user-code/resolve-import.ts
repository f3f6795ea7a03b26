/** Decides what an import of a user's file leads to, and refuses what leads out of reach. */

import { lstat, realpath, stat } from "node:fs/promises";
import { dirname, extname, join, relative } from "node:path";
import type { ImportKind, PluginBuild } from "esbuild";
import { readTextFile } from "../config/text-file.ts";
import { isNodeModule, nodeModuleMessage } from "./builtin-modules.ts";
import { similarFiles } from "./near-misses.ts";
import { sdkFile, sdkZone } from "./sdk-files.ts";
import { isWithin, packageFolder, packageName, type Zone } from "./zone.ts";

export interface ImportRequest {
  readonly specifier: string;
  readonly kind: ImportKind;
  /** The folder of the file that imports, without links. */
  readonly folder: string;
  /** The zone of that file. */
  readonly zone: Zone;
}

export type ImportTarget =
  /** `path` has no links. */
  | { readonly type: "file"; readonly path: string; readonly zone: Zone; readonly sideEffects: boolean }
  /** `tried`: absolute paths that would mend it if they came to be. */
  | { readonly type: "refused"; readonly message: string; readonly tried: readonly string[] };

/** Stands in `pluginData` of the questions put to esbuild's own resolver, so that they do not come back to us. */
export const ownQuestion: unique symbol = Symbol("ccproxy.resolve");

const sourceEndings = [".ts", ".mts", ".js", ".mjs", ".json"];

/** Never rejects for anything that is on the disk. */
export async function resolveImport(build: PluginBuild, request: ImportRequest): Promise<ImportTarget> {
  const { specifier, folder, zone } = request;
  if (specifier === "ccproxy/sdk" || specifier === "ccproxy/sdk/testing") {
    return { type: "file", path: sdkFile(specifier), zone: sdkZone, sideEffects: false };
  }
  if (specifier === "ccproxy" || specifier.startsWith("ccproxy/"))
    return refused(`"${specifier}" does not exist; rules and hooks import "ccproxy/sdk".`);
  if (/^[a-z][a-z\d+.-]+:/i.test(specifier) && !specifier.startsWith("node:"))
    return refused(`"${cut(specifier)}" is a URL; only files beside the configuration and installed packages can be imported.`);
  if (specifier.startsWith("/")) return refused(`"${cut(specifier)}" is an absolute path; write it relative to this file.`);
  const isRelative = /^\.{1,2}(?:\/|$)/.test(specifier);
  const name = packageName(specifier);
  if (isNodeModule(specifier) && (specifier.startsWith("node:") || (await findInstalled(name, folder)) === undefined))
    return refused(nodeModuleMessage(specifier));
  if (extname(specifier) === ".node") return refused(`"${specifier}" is native code, which a sandbox cannot hold.`);
  const direct = isRelative ? await resolveDirectly(request) : undefined;
  if (direct !== undefined) return direct;
  const found = await build.resolve(specifier, { resolveDir: folder, kind: request.kind, pluginData: ownQuestion });
  if (found.errors.length > 0 || found.path === "") return await notFound(request, isRelative);
  if (found.path === "(disabled)" || found.namespace !== "file") return refused(`"${specifier}" leads to nothing that could be bundled.`);
  const path = await realpath(found.path).catch(() => undefined);
  if (path === undefined) return await notFound(request, isRelative);
  const target = await zoneOf(path, request, isRelative);
  if (target === undefined) {
    return refused(`"${specifier}" leads out of ${zone.kind === "user" ? "the folder of the configuration" : zone.name}, to ${path}.`);
  }
  return { type: "file", path, zone: target, sideEffects: found.sideEffects };
}

/** Most imports name a file as it is: that saves asking esbuild, which is another process. */
async function resolveDirectly({ specifier, folder, zone }: ImportRequest): Promise<ImportTarget | undefined> {
  const wanted = join(folder, specifier);
  const path = sourceEndings.includes(extname(specifier)) ? await realpath(wanted).catch(() => undefined) : undefined;
  if (path === undefined || !isWithin(zone.root, path) || (await stat(path).catch(() => undefined))?.isFile() !== true) return undefined;
  // Of a package esbuild reads in package.json which of its files do something when they are loaded.
  if (zone.kind === "package" || packageFolder(relative(zone.root, path)) !== undefined) return undefined;
  return { type: "file", path, zone, sideEffects: zone.kind !== "sdk" };
}

/** The zone of a file that was found; undefined when the importing file may not reach it. */
async function zoneOf(path: string, request: ImportRequest, isRelative: boolean): Promise<Zone | undefined> {
  const { zone, folder, specifier } = request;
  const inPackage = packageFolder(path);
  if (isWithin(zone.root, path)) {
    // A zone may lie in a package itself; what lies in a node_modules folder of the zone is another one.
    const isNested = inPackage !== undefined && inPackage.root !== zone.root && isWithin(zone.root, inPackage.root);
    return isNested ? packageZone(inPackage) : zone;
  }
  if (isRelative) return undefined;
  if (inPackage !== undefined) return packageZone(inPackage);
  // Linked there by a workspace: what it leads to has to be a package, not just any folder.
  const link = await findInstalled(packageName(specifier), folder);
  const root = link === undefined ? undefined : await realpath(link).catch(() => undefined);
  if (root === undefined || !isWithin(root, path) || !(await isPackage(root))) return undefined;
  return packageZone({ root, name: packageName(specifier) });
}

function packageZone({ root, name }: { root: string; name: string }): Zone {
  return { kind: "package", root, name: `npm:${name}` };
}

async function isPackage(folder: string): Promise<boolean> {
  const file = await readTextFile(join(folder, "package.json"));
  return file.type === "text" && /"name"\s*:\s*"/.test(file.text);
}

/** The folder `node_modules/<name>` that Node would find from here; not followed if it is a link. */
export async function findInstalled(name: string, from: string): Promise<string | undefined> {
  if (name === "" || name.startsWith(".")) return undefined;
  for (let folder = from; ; folder = dirname(folder)) {
    const candidate = join(folder, "node_modules", name);
    if ((await lstat(candidate).catch(() => undefined)) !== undefined) return candidate;
    if (folder === dirname(folder)) return undefined;
  }
}

async function notFound({ specifier, folder, zone }: ImportRequest, isRelative: boolean): Promise<ImportTarget> {
  if (isRelative) {
    const path = join(folder, specifier);
    const tried = extname(path) === "" ? sourceEndings.map((ending) => `${path}${ending}`) : [path];
    const isFolder = (await stat(path).catch(() => undefined))?.isDirectory() === true;
    const what = isFolder ? "is a folder without an index file" : "does not exist";
    const looked = tried.length > 1 ? ` with any of the endings ${sourceEndings.join(", ")}` : "";
    return { type: "refused", message: `"${specifier}" ${what}${looked}.${await similarFiles(path, folder)}`, tried };
  }
  if (specifier.startsWith("#")) return refused(`"${specifier}" is in the "imports" of no package.json around this file.`);
  const name = packageName(specifier);
  const installed = await findInstalled(name, folder);
  const message =
    installed === undefined
      ? `the package "${name}" is not installed. Install it beside the configuration: npm install ${name}`
      : `the package "${name}" has nothing under "${specifier}" that could be used outside of Node.`;
  const home = installed ?? join(zone.root, "node_modules", name);
  return { type: "refused", message: capital(message), tried: [home, join(home, "package.json")] };
}

function refused(message: string): ImportTarget {
  return { type: "refused", message: capital(message), tried: [] };
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function cut(text: string): string {
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}
