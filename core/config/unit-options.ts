/** Keys of a rule's or hook's entry that say what its file may do, how long, and what becomes of a request in which it fails. */

import { readGrants } from "./grants.ts";
import type { Report } from "./report.ts";
import type { UnitOptionKeys } from "./schema-ccproxy.ts";
import { within, type Place } from "./tree.ts";
import type { Parameters, UnitOptions } from "./types.ts";

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
