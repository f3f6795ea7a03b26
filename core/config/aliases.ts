/** Reads `router_settings.model_group_alias` of config.yaml. */

import { checkKeys, checkMapping } from "./check.ts";
import { describeValue } from "./describe.ts";
import type { Report } from "./report.ts";
import { aliasSchema } from "./schema-litellm.ts";
import { isMapping, valueOf, within, type Place } from "./tree.ts";
import type { Config } from "./types.ts";

/** Whether a group exists is found out where the routes are built. */
export function readAliases(place: Place, report: Report): Config["aliases"] {
  const aliases = new Map<string, { group: string; hidden: boolean; location: ReturnType<Place["tree"]["locate"]> }>();
  const value = valueOf(place);
  if (value == null) return aliases;
  if (!isMapping(value)) {
    report.error(place, `is ${describeValue(value)}; wanted a mapping of aliases to model names.`);
    return aliases;
  }
  for (const [alias, target] of Object.entries(value)) {
    const at = within(place, alias);
    const location = place.tree.locate(at.path);
    if (typeof target === "string" && target !== "") {
      aliases.set(alias, { group: target, hidden: false, location });
      continue;
    }
    if (!isMapping(target)) {
      report.error(at, `is ${describeValue(target)}; wanted a model name, or a mapping with model and hidden.`);
      continue;
    }
    checkKeys(at, { effective: Object.keys(aliasSchema.shape) }, { unknown: "warning", told: new Set() }, report);
    const keys = checkMapping(at, aliasSchema, report);
    if (keys?.model !== undefined) aliases.set(alias, { group: keys.model, hidden: keys.hidden ?? false, location });
  }
  return aliases;
}
