/** Reads `hooks` of ccproxy.yaml. */

import { checkKeys, checkMapping } from "./check.ts";
import { describeValue } from "./describe.ts";
import { readParameters } from "./parameters.ts";
import type { Report } from "./report.ts";
import { hookSchema } from "./schema-ccproxy.ts";
import { isMapping, valueOf, within, type Place } from "./tree.ts";
import type { HookEntry } from "./types.ts";
import { noOptions, noParameters, readUnitOptions } from "./unit-options.ts";

/** The entries that are right. Whether a hook exists is found out where the chain is built. */
export function readHooks(place: Place, report: Report): readonly HookEntry[] {
  const list = valueOf(place);
  if (list == null) return [];
  if (!Array.isArray(list)) {
    report.error(place, `is ${describeValue(list)}; wanted a list, each entry beginning with "- ".`);
    return [];
  }
  return list.map((_, index) => readHook(within(place, index), report)).filter((entry) => entry !== undefined);
}

function readHook(place: Place, report: Report): HookEntry | undefined {
  const value = valueOf(place);
  const location = place.tree.locate(place.path);
  if (typeof value === "string" && value !== "") return { reference: value, params: noParameters, options: noOptions, location };
  if (!isMapping(value)) {
    report.error(place, `is ${describeValue(value)}; wanted the name of a hook, or a mapping with hook and params.`);
    return undefined;
  }
  checkKeys(place, { effective: Object.keys(hookSchema.shape) }, { unknown: "error", told: new Set() }, report);
  const keys = checkMapping(place, hookSchema, report);
  if (keys?.hook === undefined) return undefined;
  const { params } = readParameters(within(place, "params"));
  return { reference: keys.hook, params, options: readUnitOptions(place, keys, report), location };
}
