/** Counts what a translation left out or put otherwise, so that the trace says each thing once. */

import type { Note } from "../wire.ts";

export class Tally {
  readonly #counts = new Map<string, number>();

  /** @param what without anything a user wrote */
  add(what: string): void {
    this.#counts.set(what, (this.#counts.get(what) ?? 0) + 1);
  }

  report(note: Note): void {
    for (const [what, count] of this.#counts) note(what, { count });
  }
}
