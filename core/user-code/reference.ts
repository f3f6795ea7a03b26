/** Finds what a reference in the configuration names: a file beside it, a ready-made one, or a package. */

import { access, realpath } from "node:fs/promises";
import { extname, join, relative, resolve, sep } from "node:path";
import { listWords } from "../config/check.ts";
import { quote } from "../config/describe.ts";
import { findPython, howToPort } from "../config/python-original.ts";
import type { Entry } from "./bundle-plugin.ts";
import { codeEndings, otherPlaces, similarFiles } from "./near-misses.ts";
import { resolveBuiltIn } from "./ready-made.ts";
import { findInstalled } from "./resolve-import.ts";
import { isWithin, packageFolder, packageName, type Zone } from "./zone.ts";

export interface ReferenceContext {
  /** The user's folder, without links. */
  readonly zone: Zone;
  /** Names after `ccproxy.rules.` that are built in. */
  readonly registryRuleNames: ReadonlySet<string>;
  /** Folder of the ready-made rules and hooks, absolute. */
  readonly readyMadeDirectory: string;
}

export type ReferenceKind = "rule" | "hook" | "callback";

/** `tried`: absolute paths; one that comes to be, or goes, may change the result. */
export type ResolvedReference = { readonly tried: readonly string[] } & (
  | { readonly type: "built-in" }
  | { readonly type: "code"; readonly entry: Entry; readonly exportName: string; readonly origin: "configured" | "ready-made" | "package" }
  /** Why, as the end of a sentence that begins with the reference. */
  | { readonly type: "unresolved"; readonly why: string }
);

/**
 * `a.b.name` and `a.b:name` are the export `name` of `a/b.ts`; `./a/b.ts` is its default export, `./a/b.ts:name` another
 * one. What is not beside the configuration is looked for among the packages installed there.
 */
export async function resolveReference(reference: string, kind: ReferenceKind, context: ReferenceContext): Promise<ResolvedReference> {
  const builtIn = await resolveBuiltIn(reference, context);
  if (builtIn !== undefined) return builtIn;
  const refusal = refusalOf(reference);
  if (refusal !== undefined) return unresolved(refusal);
  const asPath = /^(.*?)(?::([\p{ID_Start}$_][\p{ID_Continue}$]*))?$/su.exec(reference);
  const path = asPath?.[1] ?? "";
  if (
    /^\.{1,2}\//.test(path) ||
    (codeEndings.includes(extname(path)) && (path.includes("/") || (await exists(join(context.zone.root, path)))))
  )
    return await resolvePath(path, asPath?.[2] ?? "default", kind, context);
  const split = splitReference(reference);
  if (split === undefined) return unresolved(`names no export. ${howToWrite(reference)}`);
  return await resolveModule(reference, split, kind, context);
}

function refusalOf(reference: string): string | undefined {
  const scheme = /^([a-z][a-z\d+.-]*):\/\//i.exec(reference)?.[1]?.toLowerCase();
  if (scheme === "s3" || scheme === "gcs" || scheme === "gs")
    return "would load code from a bucket, which anyone who can write there could change. Put the file beside config.yaml and name it.";
  if (scheme !== undefined || /^(?:file|data|https?):/i.test(reference))
    return "is a URL; code is never fetched. Put the file beside config.yaml and name it.";
  if (reference.startsWith("/") || /^[a-z]:[\\/]/i.test(reference) || reference.startsWith("~"))
    return "is an absolute path; only what lies beside config.yaml is loaded. Put the file there and name it, e.g. ./hooks/name.ts.";
  return reference.includes("\\") ? "holds a backslash; write folders with /." : undefined;
}

/** `a.b.name` → `a.b`, `name`; `@scope/pkg.name`, `pkg/sub:name` likewise. */
function splitReference(reference: string): { readonly module: string; readonly exportName: string } | undefined {
  const match = /^(.+)(?:\.|:)([\p{ID_Start}$_][\p{ID_Continue}$]*)$/su.exec(reference);
  const [, module, exportName] = match ?? [];
  if (module === undefined || exportName === undefined || !/^[@\w$][\w$./-]*$/.test(module) || /\.\.|\/\/|\.\/|\/$|\.$/.test(module))
    return undefined;
  return { module, exportName };
}

async function resolvePath(path: string, exportName: string, kind: ReferenceKind, context: ReferenceContext): Promise<ResolvedReference> {
  const { root } = context.zone;
  const wanted = resolve(root, path);
  if (!isWithin(root, wanted)) return unresolved(`leads out of the folder of the configuration; only what lies in it is loaded.`);
  if (extname(path) === ".py") return await python(path, kind, context, []);
  if (extname(path) !== "" && !codeEndings.includes(extname(path)))
    return unresolved(`ends in ${extname(path)}; rules and hooks are files ending in ${listWords(codeEndings, "or")}.`);
  const candidates = extname(path) === "" ? codeEndings.map((ending) => `${wanted}${ending}`) : [wanted];
  const found = await firstFile(candidates, exportName, context);
  if (found !== undefined) return found;
  const hint = await similarFiles(wanted, root);
  return await python(path, kind, context, candidates, `does not exist; ${lookedFor(candidates, root)}.${hint}`);
}

async function resolveModule(
  reference: string,
  { module, exportName }: { readonly module: string; readonly exportName: string },
  kind: ReferenceKind,
  context: ReferenceContext,
): Promise<ResolvedReference> {
  const { root } = context.zone;
  const inFolders = module.replaceAll(".", "/");
  const base = join(root, inFolders);
  const candidates = module.startsWith("@") ? [] : codeEndings.map((ending) => `${base}${ending}`);
  const found = await firstFile(candidates, exportName, context);
  if (found !== undefined) return found;
  const specifiers = [...new Set([module, inFolders])];
  const homes = specifiers.map((specifier) => join(root, "node_modules", packageName(specifier)));
  for (const specifier of specifiers) {
    const home = await findInstalled(packageName(specifier), root);
    if (home === undefined) continue;
    const entry: Entry = { type: "package", specifier, zone: context.zone };
    return { type: "code", entry, exportName, origin: "package", tried: [...candidates, home, join(home, "package.json")] };
  }
  const hint = (await otherPlaces(reference, root)) || (candidates.length === 0 ? "" : await similarFiles(base, root));
  const packages = [...new Set(specifiers.map(packageName))].map((name) => JSON.stringify(name));
  const looked = candidates.length === 0 ? "looked" : `${lookedFor(candidates, root)}, and`;
  const why = `cannot be found; ${looked} for ${packages.length > 1 ? "the packages" : "the package"} ${listWords(packages)} there and in the folders above.${hint}`;
  return await python(reference, kind, context, [...candidates, ...homes], why);
}

/** The first of them that exists. */
async function firstFile(
  candidates: readonly string[],
  exportName: string,
  { zone }: ReferenceContext,
): Promise<ResolvedReference | undefined> {
  for (const [index, candidate] of candidates.entries()) {
    if (!(await exists(candidate))) continue;
    const tried = candidates.slice(0, index + 1);
    const path = await realpath(candidate).catch(() => undefined);
    if (path === undefined || !isWithin(zone.root, path))
      return unresolved(
        `is a link that leads out of the folder of the configuration${path === undefined ? "" : `, to ${path}`}; it is not followed.`,
        tried,
      );
    const inPackage = packageFolder(path);
    const isPackage = inPackage !== undefined && isWithin(zone.root, inPackage.root) && inPackage.root !== zone.root;
    const entryZone: Zone = isPackage ? { kind: "package", root: inPackage.root, name: `npm:${inPackage.name}` } : zone;
    return {
      type: "code",
      entry: { type: "file", path, zone: entryZone },
      exportName,
      origin: isPackage ? "package" : "configured",
      tried,
    };
  }
  return undefined;
}

/** A file of the Python original explains more than that nothing was found. */
async function python(
  reference: string,
  kind: ReferenceKind,
  { zone }: ReferenceContext,
  tried: readonly string[],
  otherwise = "names a Python file, which cannot run here.",
): Promise<ResolvedReference> {
  const file = await findPython(reference, zone.root);
  if (file === undefined) return unresolved(otherwise, tried);
  const part = kind === "rule" ? "rule" : "hook";
  return unresolved(`is Python (${file}), which cannot run here. ${howToPort(part, file)} Until then, take this entry out.`, [
    ...tried,
    join(zone.root, file),
  ]);
}

function lookedFor(candidates: readonly string[], root: string): string {
  const names = candidates.map((candidate) => relative(root, candidate).split(sep).join("/"));
  return `looked for ${listWords(names)} in ${root}`;
}

function howToWrite(reference: string): string {
  const names = reference.split(/[^\w-]+/).filter((name) => name !== "");
  const [file, module] = names.length === 0 ? ["name", "name"] : [names.join("/"), names.join(".")];
  return `Write ${quote(`./${file}.ts`)} for the default export of that file, or ${quote(`${module}.name`)} for another one.`;
}

function unresolved(why: string, tried: readonly string[] = []): ResolvedReference {
  return { type: "unresolved", why, tried };
}

async function exists(file: string): Promise<boolean> {
  return await access(file).then(
    () => true,
    () => false,
  );
}
