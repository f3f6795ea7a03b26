/** One version of the user's code, as it is loaded into hosts, and what each of its units may still do. */

import type { Phase, ToHost, UnitCode, UnitManifest } from "./protocol.ts";
import type { UnitSpec } from "./sandbox.ts";
import type { Strikes } from "./strikes.ts";
import { Suspicion } from "./suspicion.ts";

export interface Program {
  readonly version: number;
  readonly units: readonly UnitSpec[];
  /** Those that hosts survive loading. */
  loadable(): readonly UnitSpec[];
  loadMessage(id: number, runtime: string): ToHost & { readonly id: number };
  /** Why nothing of it is run any more. */
  unusable(unit: number): string | undefined;
  isSuspect(unit: number): boolean;
  strike(unit: number, by: "killed" | "crashed", phase: Phase): void;
  /** A host was lost while it loaded this unit. A crash may have come from outside, so it counts from the second on. */
  blameForLoad(unit: number, by: "killed" | "crashed" | "ended"): void;
  /** Longest uninterrupted run of the unit. */
  sliceMs(unit: number): number;
  /** Longest call of the unit with everything it waits for. */
  timeoutMs(unit: number): number;
  /** All units have the same slice. */
  readonly isUniform: boolean;
  /** No file has any strike. */
  readonly isClean: boolean;
}

export function createProgram(version: number, units: readonly UnitSpec[], strikes: Strikes): Program {
  const codes = new Map(units.map((unit) => [unit.unit, withoutLimits(unit)]));
  const byIndex = new Map(units.map((unit) => [unit.unit, unit]));
  const suspicion = new Suspicion();
  const slices = new Set(units.map(({ limits }) => limits.sliceMs));

  return {
    version,
    units,
    sliceMs: (unit) => byIndex.get(unit)?.limits.sliceMs ?? 0,
    timeoutMs: (unit) => byIndex.get(unit)?.limits.timeoutMs ?? 0,
    isUniform: slices.size <= 1,
    get isClean() {
      return strikes.isClean;
    },
    loadable: () => units.filter(({ hash }) => !strikes.isUnloadable(hash)),
    loadMessage(id, runtime) {
      const wanted = this.loadable().flatMap(({ unit }) => codes.get(unit) ?? []);
      return { type: "load", id, version, units: wanted, runtime };
    },
    unusable(unit) {
      const spec = byIndex.get(unit);
      return spec === undefined ? "there is no such unit" : strikes.reason(spec.hash);
    },
    isSuspect(unit) {
      const spec = byIndex.get(unit);
      return spec !== undefined && strikes.isSuspect(spec.hash);
    },
    strike(unit, by, phase) {
      const spec = byIndex.get(unit);
      if (spec !== undefined) strikes.add(spec.file, spec.hash, `${describeEnd(by)} in ${phase}`);
    },
    blameForLoad(unit, by) {
      const spec = byIndex.get(unit);
      if (spec === undefined) return;
      if (by !== "killed") suspicion.add(unit, by);
      if (by === "killed" || suspicion.isProven(unit)) {
        strikes.exclude(spec.file, spec.hash, `it ${describeEnd(by === "killed" ? by : "crashed")} while it was loaded`);
      }
    },
  };
}

/** What a unit that is not loaded is said to be. */
export function unloadedManifest(unit: number, message: string): UnitManifest {
  return {
    unit,
    error: { name: "Quarantined", message, stack: "" },
    defined: undefined,
    label: undefined,
    summary: undefined,
    phases: [],
    required: false,
    buffer: false,
    events: undefined,
  };
}

function describeEnd(by: "killed" | "crashed"): string {
  return by === "killed" ? "did not come to an end and was killed" : "took its host down";
}

function withoutLimits({ hash: _hash, limits: _limits, ...code }: UnitSpec): UnitCode {
  return code;
}
