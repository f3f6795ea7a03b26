/** In which order hooks, rules and the router decide about a request. */

import type { Fault, HookEntry, Location } from "../config/types.ts";
import type { Rule } from "../../sdk/rule.ts";
import type { LoadedUnit } from "./user-program.ts";

export type PolicyStep =
  /** Neighbours that have preCall, so that one call runs them. */
  { readonly type: "hooks"; readonly hooks: readonly LoadedUnit[] } | { readonly type: "rules" } | { readonly type: "router" };

/** A rule in the order in which they are asked: of a plugin, run in this process, or of the user, run in the sandbox. */
export type OrderedRule = { readonly label: string; readonly reference: string; readonly summary: string } & (
  | { readonly type: "built-in"; readonly rule: Rule }
  | { readonly type: "user"; readonly unit: LoadedUnit }
);

export interface PolicyOrder {
  readonly steps: readonly PolicyStep[];
  readonly faults: readonly Fault[];
}

const prefix = "ccproxy.hooks.";
/**
 * Steps of the proxy itself that stand among the hooks. Those that forward credentials do not: which one goes
 * along is decided per attempt, wherever they stand.
 */
const builtinSteps: ReadonlyMap<string, "rules" | "router"> = new Map([
  [`${prefix}rule_evaluator`, "rules"],
  [`${prefix}model_router`, "router"],
]);

/**
 * Hooks stand where the list names them. Rules and router stand where it names them; rules that it does not name
 * stand before the router, a router that it does not name stands at the end. Hooks that no entry of the list
 * stands for (callbacks, autoloaded files) come behind the last one it does: before the built-in steps that follow.
 *
 * @param entries `ccproxy.hooks`
 * @param units hooks and callbacks in the order in which they run
 */
export function orderPolicy(entries: readonly HookEntry[], units: readonly LoadedUnit[]): PolicyOrder {
  const faults: Fault[] = [];
  const byEntry = new Map(units.filter(({ source }) => source.kind === "hook").map((unit) => [unit.source.entry, unit]));
  const items: (LoadedUnit | "rules" | "router")[] = [];
  let afterLastHook = 0;
  for (const [index, entry] of entries.entries()) {
    const step = builtinSteps.get(entry.reference);
    const unit = byEntry.get(index);
    if (unit !== undefined) afterLastHook = items.push(unit);
    else if (step !== undefined) {
      if (items.includes(step))
        faults.push(warning(entry.location, `hook "${entry.reference}" stands here a second time; the first one counts`));
      else items.push(step);
    }
  }
  const placed = new Set<unknown>(items);
  items.splice(afterLastHook, 0, ...units.filter((unit) => !placed.has(unit)));
  if (!items.includes("router")) items.push("router");
  if (!items.includes("rules")) items.splice(items.indexOf("router"), 0, "rules");
  if (items.indexOf("router") < items.indexOf("rules")) faults.push(...comeTooLate(entries));
  return { steps: joinNeighbours(items), faults };
}

function joinNeighbours(items: readonly (LoadedUnit | "rules" | "router")[]): readonly PolicyStep[] {
  const steps: PolicyStep[] = [];
  let segment: LoadedUnit[] = [];
  const endSegment = (): void => {
    if (segment.length > 0) steps.push({ type: "hooks", hooks: segment });
    segment = [];
  };
  for (const item of items) {
    if (typeof item !== "string") {
      if (item.manifest.phases.includes("preCall")) segment.push(item);
      continue;
    }
    endSegment();
    steps.push({ type: item });
  }
  endSegment();
  return steps;
}

function comeTooLate(entries: readonly HookEntry[]): readonly Fault[] {
  const entry = entries.find(({ reference }) => reference === `${prefix}rule_evaluator`);
  const message = `hook "${prefix}rule_evaluator" stands behind ${prefix}model_router, so the labels of rules come too late to decide where a request goes; put it before`;
  return entry === undefined ? [] : [warning(entry.location, message)];
}

function warning(location: Location, message: string): Fault {
  return { severity: "warning", ...location, message };
}
