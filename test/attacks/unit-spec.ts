/** The files of this corpus as units: everything is granted to them, and a secret stands where none may be read. */

import type { UnitSpec } from "../../core/sandbox/sandbox.ts";

/** Nobody in an isolate may come by it. */
export const plantedKey: string = "5ec2e7".repeat(10) + "5ec2";

export function unitSpec(unit: Pick<UnitSpec, "unit" | "kind" | "file" | "code" | "hash"> & Partial<UnitSpec>): UnitSpec {
  return {
    exportName: "default",
    params: { positional: [], named: {} },
    env: {},
    grants: { fetch: true, callModel: true, kv: true, replyTools: true },
    pseudonymKey: plantedKey,
    limits: { sliceMs: 100, timeoutMs: 5000 },
    ...unit,
  };
}
