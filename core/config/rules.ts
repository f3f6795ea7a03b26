/** Reads `rules`: of ccproxy.yaml, and of project files, which have the same form. */

import { checkKeys, checkMapping } from "./check.ts";
import { describeValue } from "./describe.ts";
import { readParameters } from "./parameters.ts";
import type { Report } from "./report.ts";
import { ruleSchema } from "./schema-ccproxy.ts";
import { valueOf, within, type Place } from "./tree.ts";
import type { RuleEntry } from "./types.ts";
import { noOptions } from "./unit-options.ts";

/** The entries that are right. Whether a rule and its label exist is found out where rules and routes are built. */
export function readRules(place: Place, report: Report): readonly RuleEntry[] {
  const list = valueOf(place);
  if (list == null) return [];
  if (!Array.isArray(list)) {
    report.error(place, `is ${describeValue(list)}; wanted a list, each entry beginning with "- name:".`);
    return [];
  }
  return list.map((_, index) => readRule(within(place, index), report)).filter((entry) => entry !== undefined);
}

function readRule(place: Place, report: Report): RuleEntry | undefined {
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
  return { label: given, reference: rule, options: noOptions, location: place.tree.locate(place.path), ...parameters };
}

function isAbsent(place: Place, key: string): boolean {
  return valueOf(within(place, key)) == null;
}
