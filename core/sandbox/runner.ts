/** Runs phases of one program, and remembers what its units read. */

import { type PartSet, PartProfile } from "./parts.ts";
import { PhaseRun } from "./phase-run.ts";
import type { Pool } from "./pool.ts";
import type { Program } from "./program.ts";
import type { PartName, Phase, RequestShape } from "./protocol.ts";
import type { PhaseCall, PhaseOutcome } from "./sandbox.ts";

export interface Runner {
  run(call: PhaseCall): Promise<readonly PhaseOutcome[]>;
}

export function createRunner(program: Program, pool: Pool): Runner {
  const profiles = createProfiles();
  const scene = { program, pool, profiles };
  let runs = 0;
  return {
    run(call) {
      return new Promise((resolve, reject) => {
        // Several runs of an exchange may run the same unit: one for each attempt.
        const key = `${call.context.requestId}:${call.phase}:${program.version}.${++runs}`;
        new PhaseRun(scene, call, key, resolve, reject).next();
      });
    },
  };
}

export interface Profiles {
  learn(phase: Phase, unit: number, parts: readonly PartName[], shape: RequestShape): void;
  /** Adds what the units have read before. */
  addTo(parts: PartSet, phase: Phase, units: readonly number[], shape: RequestShape): void;
}

function createProfiles(): Profiles {
  const profiles = new Map<string, PartProfile>();
  return {
    learn(phase, unit, parts, shape) {
      const key = `${phase}:${unit}`;
      let profile = profiles.get(key);
      if (profile === undefined) profiles.set(key, (profile = new PartProfile()));
      profile.learn(parts, shape);
    },
    addTo(parts, phase, units, shape) {
      if (profiles.size === 0) return;
      for (const unit of units) profiles.get(`${phase}:${unit}`)?.addTo(parts, shape);
    },
  };
}
