/** Reads numbers by the class of a failure: `retry_policy`, `allowed_fails_policy`, and by group `model_group_retry_policy`. */

import { checkKeys, checkMapping } from "./check.ts";
import { showValue, maskSecrets } from "./describe.ts";
import type { Report } from "./report.ts";
import type { ByPolicyClass, NamedGroup } from "./router-types.ts";
import { allowedFailsPolicySchema, retryPolicySchema } from "./schema-router.ts";
import { isMapping, keyOf, pathText, valueOf, within, type Place } from "./tree.ts";

/** What the keys end in, after the class. */
type Ending = "Retries" | "AllowedFails";

const schemas = { Retries: retryPolicySchema, AllowedFails: allowedFailsPolicySchema } satisfies Record<Ending, unknown>;

export function readPolicy(place: Place, ending: Ending, report: Report): ByPolicyClass {
  if (valueOf(place) == null) return {};
  const schema = schemas[ending];
  checkKeys(place, { effective: Object.keys(schema.shape) }, { unknown: "warning", told: new Set() }, report);
  const counts = Object.entries(checkMapping(place, schema, report) ?? {});
  return Object.fromEntries(
    counts.flatMap(([key, count]) => (typeof count === "number" ? [[key.slice(0, -ending.length), count] as const] : [])),
  );
}

/** By group. */
export function readGroupPolicies(
  place: Place,
  { named, report }: { named: NamedGroup[]; report: Report },
): ReadonlyMap<string, ByPolicyClass> {
  const value = valueOf(place);
  if (value == null) return new Map();
  if (!isMapping(value)) {
    report.error(place, `is ${showValue(value, place.path)}; wanted a mapping of model names to policies.`);
    return new Map();
  }
  return new Map(
    Object.keys(value).map((group) => {
      const at = within(place, group);
      named.push({ name: group, as: "source", location: at.tree.locate(at.path, "key"), path: maskSecrets(pathText(keyOf(at).path)) });
      return [group, readPolicy(at, "Retries", report)];
    }),
  );
}
