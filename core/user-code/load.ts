/** Gathers the code of the user's own that a configuration names, and what lies in `rules/` and `hooks/` beside it. */

import { createHash } from "node:crypto";
import { realpath } from "node:fs/promises";
import { join } from "node:path";
import type { Fault } from "../config/types.ts";
import { createBundleCache, type BundleCache } from "./bundle-cache.ts";
import type { Bundle, BundleResult } from "./bundle.ts";
import { missingExport } from "./check-exports.ts";
import { planUnits, type Entries, type PlannedUnit } from "./plan.ts";
import { readCompilerOptions } from "./tsconfig.ts";
import type { IgnoredFile, UserCode, UserUnit } from "./types.ts";
import type { Zone } from "./zone.ts";

export interface UserCodeInput extends Entries {
  /** Folder of `config.yaml`, absolute. */
  readonly directory: string;
  /** Whether files in `rules/` and `hooks/` are loaded without an entry. */
  readonly autoload: boolean;
  /** Names after `ccproxy.rules.` that are built in. */
  readonly registryRuleNames: ReadonlySet<string>;
  /** Folder of the ready-made rules and hooks, absolute. */
  readonly readyMadeDirectory: string;
}

/** As many files as an installation may have; beyond it the oldest is compiled again when needed. */
const sharedCache: BundleCache = createBundleCache(256);

/**
 * Resolves, reads and compiles; runs nothing. All that is wrong comes back as faults, all at once.
 *
 * @param cache bundles of earlier loads; those whose files did not change are used again
 */
export async function loadUserCode(input: UserCodeInput, cache: BundleCache = sharedCache): Promise<UserCode> {
  const root = await realpath(input.directory).catch(() => input.directory);
  const zone: Zone = { kind: "user", root, name: "" };
  const plan = await planUnits(input, input.autoload, { ...input, zone });
  if (plan.units.length === 0) return { ...plan, units: [] };
  const compiler = await readCompilerOptions(root);
  const results = await bundleAll(plan.units, compiler.raw, cache);
  const settled = await Promise.all(
    plan.units.map(async (unit) => {
      const result = results.get(keyOf(unit));
      return result === undefined ? {} : await settle(unit, result, compiler.raw, cache);
    }),
  );
  const imported = new Set([...results.values()].flatMap(({ imports }) => imports));
  const stray = settled.flatMap(({ withoutDefault }) => withoutDefault ?? []).map((file) => strayFile(file, imported));
  return {
    units: settled.flatMap(({ unit }) => unit ?? []),
    ignored: [...plan.ignored, ...stray.map(({ ignored }) => ignored)],
    faults: distinct([
      ...plan.faults,
      ...compiler.faults,
      ...settled.flatMap(({ faults }) => faults ?? []),
      ...stray.flatMap(({ fault }) => fault ?? []),
    ]),
    files: [...new Set([...plan.files, ...compiler.files, ...[...results.values()].flatMap(({ watch }) => watch)])],
  };
}

interface BundledEntry {
  readonly result: BundleResult;
  /** Files that it reads besides the first. */
  readonly imports: readonly string[];
  /** What may change it. */
  readonly watch: readonly string[];
}

/** Each file once, however many entries name it. */
async function bundleAll(
  units: readonly PlannedUnit[],
  compilerOptions: string,
  cache: BundleCache,
): Promise<ReadonlyMap<string, BundledEntry>> {
  const sources = new Map(units.map((unit) => [keyOf(unit), unit.source]));
  const bundled = Array.from(sources, async ([key, source]) => {
    const result = await cache.get(source, compilerOptions);
    const { inputs, tried } = result.type === "bundled" ? result.bundle : result;
    const first = result.type === "bundled" ? result.bundle.path : undefined;
    // Of a package that is its installation: its files are many, and are not edited.
    const watch = inputs.map(({ path, zone }) => (zone.kind === "package" ? join(zone.root, "package.json") : path));
    const imports = inputs.map(({ path }) => path).filter((path) => path !== first);
    return [key, { result, imports, watch: [...watch, ...tried] }] as const;
  });
  return new Map(await Promise.all(bundled));
}

interface Settled {
  readonly unit?: UserUnit;
  readonly faults?: readonly Fault[];
  /** An autoloaded file that nothing could be taken from. */
  readonly withoutDefault?: { readonly kind: UserUnit["kind"]; readonly name: string; readonly path: string };
}

async function settle(plan: PlannedUnit, { result }: BundledEntry, compilerOptions: string, cache: BundleCache): Promise<Settled> {
  if (result.type === "failed") {
    // A package that leads nowhere has no file of its own to show.
    const atEntry = (fault: Fault): Fault =>
      fault.file === plan.source.zone.root ? { ...fault, ...plan.location, message: `${plan.title}: ${fault.message}` } : fault;
    return { faults: result.faults.map(atEntry) };
  }
  const { bundle } = result;
  const missing = await missingExport(bundle, plan.exportName, plan.source, compilerOptions, cache);
  if (missing === undefined) return { unit: toUnit(plan, bundle), faults: bundle.warnings };
  if (plan.origin === "autoloaded") return { withoutDefault: { kind: plan.kind, name: bundle.name, path: bundle.path } };
  return { faults: [{ severity: "error", ...plan.location, message: `${plan.title}: ${missing}` }] };
}

function toUnit({ source: _source, title: _title, ...plan }: PlannedUnit, { name, path, code, map }: Bundle): UserUnit {
  const { kind, exportName, params, options } = plan;
  const hash = createHash("sha256")
    .update(JSON.stringify([code, kind, exportName, params, options]))
    .digest("hex");
  return { ...plan, file: name, path, code, map, hash };
}

/** A file that others import is none of those that were forgotten something in. */
function strayFile(
  { kind, name, path }: NonNullable<Settled["withoutDefault"]>,
  imported: ReadonlySet<string>,
): { readonly ignored: IgnoredFile; readonly fault?: Fault } {
  if (imported.has(path)) return { ignored: { file: name, why: "it has no default export; other files import it" } };
  const definition = kind === "rule" ? "defineRule" : "defineHook";
  const message = `is not loaded: it has no default export. Write "export default ${definition}(…)", or let its name begin with _ if other files are to import it.`;
  const fault: Fault = { severity: "warning", file: path, line: 1, column: 1, message };
  return { ignored: { file: name, why: "it has no default export" }, fault };
}

function distinct(faults: readonly Fault[]): readonly Fault[] {
  return [...new Map(faults.map((fault) => [JSON.stringify(fault), fault])).values()];
}

function keyOf({ source }: PlannedUnit): string {
  return JSON.stringify(source);
}
