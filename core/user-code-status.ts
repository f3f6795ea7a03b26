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
  switch (grant.type) {
    case "fetch":
      return `fetch:${grant.host}`;
    case "env":
      return `env:${grant.name}`;
    case "callModel":
      return `callModel:${grant.group}`;
    case "reply":
      return `reply:${grant.what}`;
    default:
      return grant.type;
  }
}
