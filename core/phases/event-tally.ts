/** What the hooks of one reply's events did, summed up: a line for each event would make the trace as long as the reply. */

import type { PhaseOutcome } from "../sandbox/sandbox.ts";
import type { Trace } from "../trace.ts";
import { type LoadedUnit, unitName } from "./user-program.ts";

interface Tally {
  events: number;
  changed: number;
  us: number;
  failures: number;
}

export class EventTally {
  readonly #byUnit = new Map<LoadedUnit, Tally>();

  count(unit: LoadedUnit, { us, changed = [] }: Pick<PhaseOutcome, "us" | "changed">, events: number): void {
    const tally = this.#of(unit);
    tally.events += events;
    tally.changed += changed.length;
    tally.us += us;
  }

  /** @returns whether it is the unit's first failure */
  fail(unit: LoadedUnit): boolean {
    return ++this.#of(unit).failures === 1;
  }

  trace(trace: Trace): void {
    for (const [unit, { events, changed, us, failures }] of this.#byUnit) {
      trace.add("hooks", changed > 0 ? "changed events" : "saw events", {
        file: unitName(unit),
        phase: "onEvent",
        events,
        changed,
        us: Math.round(us),
        ...(failures === 0 ? {} : { failures }),
      });
    }
  }

  #of(unit: LoadedUnit): Tally {
    let tally = this.#byUnit.get(unit);
    if (tally === undefined) {
      tally = { events: 0, changed: 0, us: 0, failures: 0 };
      this.#byUnit.set(unit, tally);
    }
    return tally;
  }
}
