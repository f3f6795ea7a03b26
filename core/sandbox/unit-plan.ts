/** Which units of a run go to a host next, and what is laid to which of them when a host is lost. */

import type { HostLoss } from "./host.ts";
import type { Program } from "./program.ts";
import type { Phase } from "./protocol.ts";
import type { PhaseOutcome } from "./sandbox.ts";
import { Suspicion } from "./suspicion.ts";

export type Lost = NonNullable<PhaseOutcome["lost"]>;

export class UnitPlan {
  readonly #program: Program;
  readonly #phase: Phase;
  readonly #units: readonly number[];
  #settled = 0;
  /** One unit a message, to find out which of several it is. */
  #isCareful = false;
  readonly #suspicion = new Suspicion();
  /** Units that are not run again, and why. */
  #lost: Map<number, Lost> | undefined;

  constructor(program: Program, phase: Phase, units: readonly number[]) {
    this.#program = program;
    this.#phase = phase;
    this.#units = units;
  }

  get isSettled(): boolean {
    return this.#settled === this.#units.length;
  }

  get rest(): readonly number[] {
    return this.#settled === 0 ? this.#units : this.#units.slice(this.#settled);
  }

  /** These have their outcomes. */
  settle(count: number): void {
    this.#settled += count;
  }

  /** What is known of a unit that will not be run. */
  lossOf(unit: number): Lost | undefined {
    return this.#lost?.get(unit) ?? (this.#program.unusable(unit) === undefined ? undefined : "quarantined");
  }

  lose(unit: number, how: Lost): void {
    this.#lost ??= new Map();
    this.#lost.set(unit, how);
  }

  goCarefully(): void {
    this.#isCareful = true;
  }

  /** Settles the units at the front that will not be run. */
  takeLost(): readonly PhaseOutcome[] {
    if (this.#program.isClean && this.#lost === undefined) return none;
    const outcomes: PhaseOutcome[] = [];
    for (;;) {
      const unit = this.#units[this.#settled];
      const lost = unit === undefined ? undefined : this.lossOf(unit);
      if (unit === undefined || lost === undefined) return outcomes;
      outcomes.push({ unit, us: 0, lost });
      this.#settled++;
    }
  }

  /** The units that go next, from the front, together: none that may be at fault with others, none with a limit of its own. */
  group(): readonly number[] {
    const program = this.#program;
    const { rest } = this;
    if (program.isClean && program.isUniform && this.#lost === undefined && !this.#isCareful) return rest;
    const [first] = rest;
    if (first === undefined || this.#isCareful || program.isSuspect(first)) return rest.slice(0, 1);
    const sliceMs = program.sliceMs(first);
    const end = rest.findIndex((unit) => this.#lost?.has(unit) === true || program.isSuspect(unit) || program.sliceMs(unit) !== sliceMs);
    return end < 0 ? rest : rest.slice(0, end);
  }

  /** A host was lost while it was at work on these. */
  blame(sent: readonly number[], { by, unit }: HostLoss): void {
    if (by === "dismissed") return;
    const at = Math.max(unit === undefined ? 0 : sent.indexOf(unit), 0);
    // Rules run together, and of those that are left only the first is known to have begun.
    const culprits = this.#phase === "rule" ? sent.slice(at) : sent.slice(at, at + 1);
    const [culprit] = culprits;
    if (culprit === undefined) return;
    const isKnown = culprits.length === 1;
    if (!isKnown) this.#isCareful = true;
    if (by !== "killed") for (const suspect of culprits) this.#suspicion.add(suspect, by);
    if (!isKnown || (by !== "killed" && !this.#suspicion.isProven(culprit))) return;
    const how = by === "killed" ? "killed" : "crashed";
    this.#program.strike(culprit, how, this.#phase);
    this.lose(culprit, how);
  }
}

const none: readonly PhaseOutcome[] = [];
