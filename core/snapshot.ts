/** Everything one configuration amounts to, ready to use and never changed: what an exchange holds on to from start to end. */

import type { HookEntry, RuleEntry, Config, Fault, LoadedConfig, Location } from "./config/types.ts";
import { didYouMean } from "./config/suggest.ts";
import type { Registry } from "./registry.ts";
import { buildRoutes } from "./routing/build.ts";
import type { RouteTable } from "./routing/table.ts";
import { RuleArgumentError, type Rule, type RuleFactory } from "../sdk/rule.ts";

export interface LoadedRule {
  readonly label: string;
  readonly reference: string;
  readonly summary: string;
  readonly rule: Rule;
}

export interface Snapshot {
  /** Counts up from 1. */
  readonly id: number;
  readonly loadedAt: Date;
  readonly config: Config;
  readonly routes: RouteTable;
  readonly rules: readonly LoadedRule[];
  /** Findings that did not stop it. */
  readonly faults: readonly Fault[];
}

/** A snapshot is only there when no fault is an error. */
export interface BuiltSnapshot {
  readonly snapshot: Snapshot | undefined;
  readonly faults: readonly Fault[];
}

/** Turns a loaded configuration into a snapshot; says everything that is wrong, not the first only. */
export function buildSnapshot(loaded: LoadedConfig, registry: Registry, id: number, now: Date): BuiltSnapshot {
  const { config, draft } = loaded;
  const routes = buildRoutes(draft, registry.providers, registry.modelLists);
  const rules = loadRules(draft.rules, registry);
  // Entries that could not be read would be missed as labels, though they are there.
  const routeFaults = loaded.faults.some(isModelListError) ? [] : routes.faults;
  const faults = [...loaded.faults, ...routeFaults, ...rules.faults, ...draft.hooks.flatMap((hook) => checkHook(hook))];
  if (config === undefined || faults.some(isError)) return { snapshot: undefined, faults };
  return { snapshot: { id, loadedAt: now, config, routes: routes.table, rules: rules.rules, faults }, faults };
}

function isError({ severity }: Fault): boolean {
  return severity === "error";
}

function isModelListError(fault: Fault): boolean {
  return isError(fault) && fault.path?.startsWith("model_list") === true;
}

const builtinRulePrefix = "ccproxy.rules.";

/** Makes rules out of configuration entries; used for the configuration itself and for trusted project files. */
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
      rules.push({ label: entry.label, reference: entry.reference, summary: factory.summary, rule: factory.create(entry.params) });
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
  return `rule "${entry.label}": "${entry.reference}" cannot be loaded; rules in files of your own are not supported in this version, ${builtin}`;
}

/** Hooks that are built-in steps of the chain; their names in the list set where they stand. */
const builtinHooks = new Set(["rule_evaluator", "model_router", "forward_oauth", "forward_oauth_hook", "forward_apikey"]);
const laterHooks = new Set(["capture_headers", "extract_session_id", "add_beta_headers"]);

function checkHook(hook: HookEntry): Fault[] {
  const name = hook.reference.startsWith("ccproxy.hooks.") ? hook.reference.slice("ccproxy.hooks.".length) : undefined;
  if (name !== undefined && builtinHooks.has(name)) return [];
  const what =
    name !== undefined && laterHooks.has(name)
      ? `"${hook.reference}" is accepted, but not in effect in this version`
      : `"${hook.reference}" is not run: hooks of your own are not supported in this version`;
  return [{ severity: name !== undefined && laterHooks.has(name) ? "note" : "warning", ...hook.location, message: `hook ${what}` }];
}

function error(location: Location, message: string): Fault {
  return { severity: "error", ...location, message };
}
