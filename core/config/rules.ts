/** Reads `rules`: of ccproxy.yaml, and of project files, which have the same form. */

import { checkKeys, checkMapping } from "./check.ts";
import { describeValue } from "./describe.ts";
import { readParameters } from "./parameters.ts";
import type { Report } from "./report.ts";
import { ruleSchema } from "./schema-ccproxy.ts";
import { keyOf, valueOf, within, type Place } from "./tree.ts";
import type { RuleEntry, UnitOptions } from "./types.ts";
import { noOptions, readUnitOptions } from "./unit-options.ts";

/** Keys whose meaning is for code of the user's own. */
const optionKeys: readonly string[] = ["grants", "required", "on_error", "slice_ms", "timeout_ms"];

/**
 * The entries that are right. Whether a rule and its label exist is found out where rules and routes are built.
 *
 * @param origin a project file may name built-in rules only, and grant nothing
 */
export function readRules(place: Place, report: Report, origin: "user" | "project" = "user"): readonly RuleEntry[] {
  const list = valueOf(place);
  if (list == null) return [];
  if (!Array.isArray(list)) {
    report.error(place, `is ${describeValue(list)}; wanted a list, each entry beginning with "- name:".`);
    return [];
  }
  return list.map((_, index) => readRule(within(place, index), report, origin)).filter((entry) => entry !== undefined);
}

function readRule(place: Place, report: Report, origin: "user" | "project"): RuleEntry | undefined {
  const keys = checkMapping(place, ruleSchema, report);
  if (keys === undefined) return undefined;
  checkKeys(place, { effective: Object.keys(ruleSchema.shape) }, { unknown: "error", told: new Set() }, report);
  const { name, label, rule } = keys;
  if (name !== undefined && label !== undefined && name !== label) {
    report.error(within(place, "label"), `differs from name; they mean the same. Keep name.`);
    return undefined;
  }
  const given = name ?? label;
  // One that is there but wrong has been reported above.
  if (given === undefined && isAbsent(place, "name") && isAbsent(place, "label"))
    report.error(within(place, "name"), "is missing; wanted the label that a match gives.");
  if (given === undefined || rule === undefined) return undefined;
  const parameters = readParameters(within(place, "params"));
  const options = origin === "project" ? refuseOptions(place, rule, report) : readUnitOptions(place, keys, report);
  return { label: given, reference: rule, options, location: place.tree.locate(place.path), ...parameters };
}

function isAbsent(place: Place, key: string): boolean {
  return valueOf(within(place, key)) == null;
}

function refuseOptions(place: Place, rule: string, report: Report): UnitOptions {
  for (const key of optionKeys) {
    if (valueOf(within(place, key)) !== undefined) report.error(keyOf(within(place, key)), "has no place in a project file. Take it out.");
  }
  if (!rule.startsWith("ccproxy.rules."))
    report.error(within(place, "rule"), "names code, which a project file cannot bring; it may use the built-in rules (ccproxy.rules.*).");
  return noOptions;
}
