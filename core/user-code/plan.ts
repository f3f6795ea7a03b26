/** What is to be loaded: the references of the configuration, resolved, and the files that need none. */

import { quote } from "../config/describe.ts";
import type { CallbackEntry, Fault, HookEntry, Location, Parameters, RuleEntry, UnitOptions } from "../config/types.ts";
import { noOptions, noParameters } from "../config/unit-options.ts";
import type { Entry } from "./bundle-plugin.ts";
import { discoverFiles } from "./discover.ts";
import { resolveReference, type ReferenceContext } from "./reference.ts";
import type { IgnoredFile, UserUnit } from "./types.ts";

/** A unit before it is compiled. */
export interface PlannedUnit extends Omit<UserUnit, "file" | "path" | "code" | "map" | "hash"> {
  readonly source: Entry;
  /** For messages, e.g. `rule "vip" (rules.vip.Vip)`. */
  readonly title: string;
}

export interface Plan {
  /** Rules, then hooks, then callbacks; in each the configured ones first. */
  readonly units: readonly PlannedUnit[];
  readonly ignored: readonly IgnoredFile[];
  readonly faults: readonly Fault[];
  /** Absolute paths that were looked at or for. */
  readonly files: readonly string[];
}

export interface Entries {
  readonly rules: readonly RuleEntry[];
  readonly hooks: readonly HookEntry[];
  readonly callbacks: readonly CallbackEntry[];
}

/** Resolves everything; reads no code. */
export async function planUnits(entries: Entries, autoload: boolean, context: ReferenceContext): Promise<Plan> {
  const resolved = await Promise.all(allEntries(entries).map(async (wanted) => await planEntry(wanted, context)));
  const configured = resolved.flatMap(({ unit }) => unit ?? []);
  const faults = resolved.flatMap(({ fault }) => fault ?? []);
  const files = resolved.flatMap(({ tried }) => tried);
  if (!autoload) return { units: configured, ignored: [], faults, files };
  const named = new Map<string, string>();
  for (const { source, location } of configured) {
    if (source.type === "file" && !named.has(source.path)) named.set(source.path, `${location.file}:${location.line}`);
  }
  const { found, ignored, folders } = await discoverFiles(context.zone.root, named);
  const autoloaded = found.map(({ kind, file, path }): PlannedUnit => {
    const source: Entry = { type: "file", path, zone: context.zone };
    const location = { file: path, line: 1, column: 1 };
    const rest = { label: undefined, exportName: "default", params: noParameters, options: noOptions, entry: undefined, title: file };
    return { kind, reference: file, origin: "autoloaded", location, source, ...rest };
  });
  const kinds = ["rule", "hook", "callback"];
  const units = [...configured, ...autoloaded].sort((a, b) => kinds.indexOf(a.kind) - kinds.indexOf(b.kind));
  return { units, ignored, faults, files: [...files, ...folders] };
}

interface Wanted {
  readonly kind: UserUnit["kind"];
  readonly entry: number;
  readonly reference: string;
  readonly label: string | undefined;
  readonly params: Parameters;
  readonly options: UnitOptions;
  readonly location: Location;
}

function allEntries({ rules, hooks, callbacks }: Entries): readonly Wanted[] {
  return [
    ...rules.map(({ reference, label, params, options, location }, entry) => ({
      kind: "rule" as const,
      entry,
      reference,
      label,
      params,
      options,
      location,
    })),
    ...hooks.map(({ reference, params, options, location }, entry) => ({
      kind: "hook" as const,
      entry,
      reference,
      label: undefined,
      params,
      options,
      location,
    })),
    ...callbacks.map(({ reference, location }, entry) => ({
      kind: "callback" as const,
      entry,
      reference,
      label: undefined,
      params: noParameters,
      options: noOptions,
      location,
    })),
  ];
}

async function planEntry(
  wanted: Wanted,
  context: ReferenceContext,
): Promise<{ readonly unit?: PlannedUnit; readonly fault?: Fault; readonly tried: readonly string[] }> {
  const { kind, reference, label, location } = wanted;
  const result = await resolveReference(reference, kind, context);
  const { tried } = result;
  if (result.type === "built-in") return { tried, ...uselessOptions(wanted) };
  if (result.type === "unresolved") {
    const subject = label === undefined ? kind : `${kind} ${quote(label)}:`;
    return { tried, fault: { severity: "error", ...location, message: `${subject} ${quote(reference)} ${result.why}` } };
  }
  const title = label === undefined ? `${kind} ${quote(reference)}` : `${kind} ${quote(label)} (${reference})`;
  return { tried, unit: { ...wanted, origin: result.origin, exportName: result.exportName, source: result.entry, title } };
}

function uselessOptions({ kind, reference, options, location }: Wanted): { readonly fault?: Fault } {
  const { grants, ...others } = options;
  if (grants.length === 0 && Object.values(others).every((value) => value === undefined)) return {};
  const message = `${kind} ${quote(reference)} is built in: grants, required, on_error and limits of time have no effect on it.`;
  return { fault: { severity: "warning", ...location, message } };
}
