/** Tells units that bring hosts down from units that were at work when somebody else did. */

/** What speaks for a unit having brought down the hosts that were at work on it. Once is no proof. */
export class Suspicion {
  readonly #weights = new Map<number, number>();

  add(unit: number, by: "crashed" | "ended"): void {
    this.#weights.set(unit, (this.#weights.get(unit) ?? 0) + (by === "crashed" ? 2 : 1));
  }

  /** Two crashes, or four ends that came from outside, or half of either. */
  isProven(unit: number): boolean {
    return (this.#weights.get(unit) ?? 0) >= 4;
  }
}
