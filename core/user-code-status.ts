/** User code as `status`, `check` and the control endpoint show it. */

import type { Grant } from "./config/types.ts";
import type { UserProgram } from "./phases/user-program.ts";
import type { UserUnitRow } from "./status.ts";

/** In the order of the program: rules, hooks, callbacks. */
export function describeUnits(program: UserProgram | undefined): readonly UserUnitRow[] {
  if (program === undefined) return [];
  return program.units.map(({ index, source, manifest, label, required, onError }) => ({
    kind: source.kind,
    file: source.file,
    reference: source.reference,
    origin: source.origin,
    label: source.kind === "rule" ? label : null,
    phases: manifest.phases,
    summary: manifest.summary ?? null,
    grants: source.options.grants.map(grantText),
    required,
    onError,
    quarantined: program.program.quarantined(index) ?? null,
  }));
}

function grantText(grant: Grant): string {
  if (grant.type === "kv") return "kv";
  if (grant.type === "fetch") return `fetch:${grant.host}`;
  if (grant.type === "env") return `env:${grant.name}`;
  return grant.type === "callModel" ? `callModel:${grant.group}` : `reply:${grant.what}`;
}
