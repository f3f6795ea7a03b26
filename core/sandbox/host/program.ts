/** The files of one version of a program, and the isolates they live in. */

import type { UnitCode, UnitManifest } from "../protocol.ts";
import { createCage, type Cage, type CagedFile } from "./cage.ts";
import { hookMemoryMb, rulesMemoryMb } from "./limits.ts";

export interface Program {
  readonly version: number;
  /** @returns undefined for a unit that is not part of the program */
  file(unit: number): CagedFile | undefined;
  /** JSON of the manifest of each unit, in order. @param before called before the second and each later file */
  load(before: (unit: number) => void): string[];
  dispose(): void;
}

/** Rules share one isolate, each file in a context of its own; hooks have an isolate for each file. */
export function createProgram(version: number, units: readonly UnitCode[], runtime: string): Program {
  const rules = createCage(runtime, rulesMemoryMb);
  const cages: Cage[] = [rules];
  const files = new Map<string, UnitCode[]>();
  for (const unit of units) {
    const key = JSON.stringify([unit.kind === "rule", unit.file, unit.code]);
    const same = files.get(key);
    if (same === undefined) files.set(key, [unit]);
    else same.push(unit);
  }
  const byUnit = new Map<number, CagedFile>();
  for (const same of files.values()) {
    const cage = same[0]?.kind === "rule" ? rules : createCage(runtime, hookMemoryMb);
    if (cage !== rules) cages.push(cage);
    const file = cage.add(same);
    for (const { unit } of same) byUnit.set(unit, file);
  }

  return {
    version,
    file: (unit) => byUnit.get(unit),
    load(before) {
      const manifests = new Map<number, string>();
      for (const [index, file] of [...new Set(byUnit.values())].entries()) {
        if (index > 0) before(file.infos[0]?.unit ?? 0);
        for (const [unit, text] of loadFile(file)) manifests.set(unit, text);
      }
      return units.map(({ unit }) => manifests.get(unit) ?? "");
    },
    dispose() {
      for (const cage of cages) cage.dispose();
    },
  };
}

function loadFile(file: CagedFile): readonly (readonly [unit: number, manifest: string])[] {
  const result = file.cage.load(file);
  if (result.type === "answer") {
    const manifests = JSON.parse(result.text) as UnitManifest[];
    return manifests.map((manifest) => [manifest.unit, JSON.stringify(manifest)]);
  }
  const { kind, message, stack } = result;
  return file.infos.map(({ unit }) => [
    unit,
    JSON.stringify({ unit, error: { name: kind, message, stack }, phases: [], required: false, buffer: false }),
  ]);
}
