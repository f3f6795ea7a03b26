/** Compares the model groups that grants name with those that exist. */

import { quote } from "./describe.ts";
import type { Report } from "./report.ts";
import { didYouMean } from "./suggest.ts";
import type { Config } from "./types.ts";

/** One warning for each `callModel:group` that leads to no deployment; a vendor may know the model all the same. */
export function reportUnknownGroups(
  { rules, hooks, deployments, aliases }: Pick<Config, "rules" | "hooks" | "deployments" | "aliases">,
  report: Report,
): void {
  const groups = new Set([...deployments.map(({ group }) => group), ...aliases.keys()]);
  // Which names a pattern stands for is the router's to say.
  if ([...groups].some((group) => group.includes("*"))) return;
  for (const { options, location } of [...rules, ...hooks]) {
    for (const grant of options.grants) {
      if (grant.type !== "callModel" || groups.has(grant.group)) continue;
      const message = `the grant callModel names ${quote(grant.group)}, which is no model_name or alias of config.yaml.${didYouMean(grant.group, groups)}`;
      report.file("warning", location.file, message, location);
    }
  }
}
