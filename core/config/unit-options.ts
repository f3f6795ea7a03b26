/** Keys of a rule's or hook's entry that say what its file may do, how long, and what becomes of a request in which it fails. */

import type { Environment } from "./environment.ts";
import { namedVariable } from "./environment.ts";
import { readGrants } from "./grants.ts";
import type { Report } from "./report.ts";
import type { UnitOptionKeys } from "./schema-ccproxy.ts";
import { within, type Place } from "./tree.ts";
import type { Grant, Parameters, UnitOptions } from "./types.ts";

export const noParameters: Parameters = { positional: [], named: {} };

export const noOptions: UnitOptions = { grants: [], required: undefined, onError: undefined, sliceMs: undefined, timeoutMs: undefined };

/** @param keys of the entry, checked */
export function readUnitOptions(place: Place, keys: Partial<UnitOptionKeys>, report: Report): UnitOptions {
  return {
    grants: readGrants(within(place, "grants"), report),
    required: keys.required,
    onError: keys.on_error,
    sliceMs: keys.slice_ms,
    timeoutMs: keys.timeout_ms,
  };
}

export interface GrantedVariables {
  readonly values: Readonly<Record<string, string>>;
  /** Names of those that are not set, or blank. */
  readonly missing: readonly string[];
}

/**
 * The variables that the grants name, and no others.
 *
 * @param configured `environmentVariables` of the configuration, in which the real environment has had its say
 */
export function grantedVariables(
  grants: readonly Grant[],
  configured: ReadonlyMap<string, string>,
  environment: Environment,
): GrantedVariables {
  const names = grants.flatMap((grant) => (grant.type === "env" ? [grant.name] : []));
  const found = names.map((name) => [name, configured.get(name) ?? namedVariable(environment, name)] as const);
  return {
    values: Object.fromEntries(found.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]]))),
    missing: found.flatMap(([name, value]) => (value === undefined ? [name] : [])),
  };
}
