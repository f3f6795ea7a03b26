/** Reads a project file: rules that map to labels the user already has, and nothing else. */

import { checkKeys } from "./check.ts";
import { describeValue, quote } from "./describe.ts";
import { createReport } from "./report.ts";
import { readRules } from "./rules.ts";
import { parseSource, type Origin } from "./source.ts";
import { didYouMean } from "./suggest.ts";
import { isMapping, keyOf, within, type Place } from "./tree.ts";
import type { Fault, RuleEntry } from "./types.ts";

export interface ParsedProject {
  readonly rules: readonly RuleEntry[];
  readonly faults: readonly Fault[];
}

/** Sections and keys of the user's own files: an author may well try them here. */
const ownFilesOnly: ReadonlySet<string> = new Set([
  ..."hooks autoload record oat_sources credentials host port local_auth allowed_hosts debug log default_model_passthrough handler".split(
    " ",
  ),
  ..."model_list router_settings general_settings litellm_settings environment_variables include litellm".split(" "),
]);

/**
 * @param content YAML or JSON; references to the environment stay text, a cloned repository must not reach it
 * @param file    name for messages
 * @param origin  where the content begins, when it is a part of the file
 */
export function parseProject(content: string, file: string, origin?: Origin): ParsedProject {
  const report = createReport();
  const tree = parseSource(content, file, report, origin);
  let rules: readonly RuleEntry[] = [];
  if (tree !== undefined) {
    const root: Place = { tree, path: [] };
    if (isMapping(tree.value)) {
      for (const key of Object.keys(tree.value)) {
        if (ownFilesOnly.has(key))
          report.error(keyOf(within(root, key)), "has no place in a project file, which may hold rules and nothing else. Take it out.");
      }
      checkKeys(root, { effective: ["rules", ...ownFilesOnly] }, { unknown: "error", told: new Set() }, report);
      rules = readRules(within(root, "rules"), report, "project");
    } else if (tree.value !== null) {
      report.error(root, `is ${describeValue(tree.value)}; wanted a mapping with rules.`);
    }
  }
  return { rules, faults: report.faults([file]) };
}

/** A label that is no model name or alias of the configuration is an error: it would lead nowhere. */
export function checkProjectLabels(rules: readonly RuleEntry[], labels: ReadonlySet<string>): readonly Fault[] {
  return rules
    .filter(({ label }) => !labels.has(label))
    .map(({ label, location }) => ({
      severity: "error",
      message: `the label ${quote(label)} is not in the configuration of this installation; a project may only use labels that are.${didYouMean(label, labels)}`,
      ...location,
    }));
}
