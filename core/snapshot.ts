/** Everything one configuration amounts to, ready to use and never changed: what an exchange holds on to from start to end. */

import type { RuleEntry, Config, Fault, LoadedConfig, Location } from "./config/types.ts";
import { didYouMean } from "./config/suggest.ts";
import { models } from "./models/look-up.ts";
import type { BuiltProgram } from "./phases/load-program.ts";
import { type OrderedRule, type PolicyStep, orderPolicy } from "./phases/policy-order.ts";
import type { LoadedUnit, UserProgram } from "./phases/user-program.ts";
import type { Registry } from "./registry.ts";
import { buildRoutes } from "./routing/build.ts";
import { loadStrategy } from "./routing/load-strategy.ts";
import type { RouteTable } from "./routing/table.ts";
import { RuleArgumentError, type RuleFactory } from "../sdk/rule.ts";
import type { Strategy } from "../sdk/strategy.ts";
import type { IgnoredFile } from "./user-code/types.ts";

export type LoadedRule = Extract<OrderedRule, { readonly type: "built-in" }>;

export interface Snapshot {
  /** Counts up from 1. */
  readonly id: number;
  readonly loadedAt: Date;
  readonly config: Config;
  readonly routes: RouteTable;
  /** How one of several deployments is chosen. */
  readonly strategy: Strategy;
  /** In the order in which they are asked. */
  readonly rules: readonly OrderedRule[];
  /** What decides about a request, in this order. */
  readonly policy: readonly PolicyStep[];
  /** Undefined when there is no user code: then nothing of it is started. */
  readonly userProgram: UserProgram | undefined;
  readonly ignored: readonly IgnoredFile[];
  /** Findings that did not stop it. */
  readonly faults: readonly Fault[];
}

/** A snapshot is only there when no fault is an error. */
export interface BuiltSnapshot {
  readonly snapshot: Snapshot | undefined;
  readonly faults: readonly Fault[];
  /** Read or looked for besides the configuration's own files, absolute. */
  readonly files: readonly string[];
}

/** Bundles and loads the user code of a configuration. */
export type LoadUserProgram = (config: Config) => Promise<BuiltProgram & { readonly files: readonly string[] }>;

/** For those who only ask about routes and labels. */
export const withoutUserCode: LoadUserProgram = async () => ({ program: undefined, ignored: [], faults: [], files: [] });

/**
 * Turns a loaded configuration into a snapshot; says everything that is wrong, not the first only. The snapshot
 * does not hold its program yet: whoever takes it into use does.
 */
export async function buildSnapshot(
  loaded: LoadedConfig,
  { registry, loadUserProgram }: { readonly registry: Registry; readonly loadUserProgram: LoadUserProgram },
  id: number,
  now: Date,
): Promise<BuiltSnapshot> {
  const { config, draft } = loaded;
  const user = await loadUserProgram(draft);
  const { program: userProgram, ignored, files } = user;
  const isBuiltin = isBuiltinRule(registry);
  const units = userProgram?.units ?? [];
  const ownRules = units.filter(({ source }) => source.kind === "rule");
  const ownLabels = ownRules.flatMap(({ source, label }) => (source.origin === "autoloaded" ? [{ label, location: source.location }] : []));
  // Of Claude's models all is known without it, but not what they cost.
  const byCost = draft.router.strategy.name === "cost-based-routing";
  if (byCost || draft.deployments.some(({ model, mockResponse }) => mockResponse === undefined && !isClaude(model))) await models.load();
  const routes = buildRoutes(draft, registry, ownLabels);
  const { strategy, faults: strategyFaults } = loadStrategy(draft, registry);
  const builtin = loadRules(draft.rules.filter(isBuiltin), registry);
  const policy = orderPolicy(
    draft.hooks,
    units.filter(({ source }) => source.kind !== "rule"),
  );
  // Entries that could not be read would be missed as labels, though they are there.
  const routeFaults = loaded.faults.some(isModelListError) ? [] : routes.faults;
  const faults = [...loaded.faults, ...routeFaults, ...strategyFaults, ...builtin.faults, ...user.faults, ...policy.faults];
  if (config === undefined || strategy === undefined || faults.some(isError)) {
    userProgram?.retain()();
    return { snapshot: undefined, faults, files };
  }
  const rules = orderRules(draft.rules, builtin.rules, ownRules, isBuiltin);
  const snapshot = { id, loadedAt: now, config, routes: routes.table, strategy, rules, policy: policy.steps, userProgram, ignored, faults };
  return { snapshot, faults, files };
}

function isClaude(model: string): boolean {
  return /^(anthropic\/)?claude-/.test(model);
}

function isError({ severity }: Fault): boolean {
  return severity === "error";
}

function isModelListError(fault: Fault): boolean {
  return isError(fault) && fault.path?.startsWith("model_list") === true;
}

/** Those of the configuration as they stand there, then the files nobody named. */
function orderRules(
  entries: readonly RuleEntry[],
  builtin: readonly LoadedRule[],
  own: readonly LoadedUnit[],
  isBuiltin: (entry: RuleEntry) => boolean,
): readonly OrderedRule[] {
  const left = [...builtin];
  const byEntry = new Map(own.map((unit) => [unit.source.entry, unit]));
  const named = entries.flatMap((entry, index): readonly OrderedRule[] => {
    if (isBuiltin(entry)) return left.splice(0, 1);
    const unit = byEntry.get(index);
    return unit === undefined ? [] : [orderedUnit(unit)];
  });
  return [...named, ...own.filter(({ source }) => source.entry === undefined).map(orderedUnit)];
}

function orderedUnit(unit: LoadedUnit): OrderedRule {
  const { source, manifest, label } = unit;
  return { type: "user", label, reference: source.reference, summary: manifest.summary ?? source.file, unit };
}

function isBuiltinRule(registry: Registry): (entry: RuleEntry) => boolean {
  return ({ reference }) => reference.startsWith(builtinRulePrefix) && registry.rules.has(reference.slice(builtinRulePrefix.length));
}

const builtinRulePrefix = "ccproxy.rules.";

/** Makes rules out of entries, built-in ones only: those of the configuration, and all of a trusted project file. */
export function loadRules(entries: readonly RuleEntry[], registry: Registry): { rules: readonly LoadedRule[]; faults: readonly Fault[] } {
  const rules: LoadedRule[] = [];
  const faults: Fault[] = [];
  for (const entry of entries) {
    const name = entry.reference.startsWith(builtinRulePrefix) ? entry.reference.slice(builtinRulePrefix.length) : undefined;
    const factory = name === undefined ? undefined : registry.rules.get(name);
    if (factory === undefined) {
      faults.push(error(entry.location, unknownRule(entry, name, registry.rules)));
      continue;
    }
    try {
      rules.push({
        type: "built-in",
        label: entry.label,
        reference: entry.reference,
        summary: factory.summary,
        rule: factory.create(entry.params),
      });
    } catch (cause) {
      if (!(cause instanceof RuleArgumentError)) throw cause;
      faults.push(error(entry.locate(cause.path), `rule "${entry.label}" (${entry.reference}): ${cause.message}`));
    }
  }
  return { rules, faults };
}

function unknownRule(entry: RuleEntry, name: string | undefined, known: ReadonlyMap<string, RuleFactory>): string {
  const builtin = `the built-in rules are ${[...known.keys()].map((rule) => builtinRulePrefix + rule).join(", ")}`;
  if (name !== undefined) return `rule "${entry.label}": there is no built-in rule "${name}"; ${builtin}.${didYouMean(name, known.keys())}`;
  return `rule "${entry.label}": "${entry.reference}" is no built-in rule, and a project file may use no others; ${builtin}`;
}

function error(location: Location, message: string): Fault {
  return { severity: "error", ...location, message };
}
