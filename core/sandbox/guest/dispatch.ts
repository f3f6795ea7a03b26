/** Asks rules in turn, each in a context of its own, within one call from the host. */

import type { Entry } from "./entry-format.ts";

/** What the context that calls the others offers. */
export interface Dispatcher {
  attach(unit: string, entry: unknown): void;
  /**
   * @param values run, phase, facts, rest of the context, stores as JSON by unit (may be empty), subject, part names, parts
   * @returns JSON texts in lines: the answer of each unit that was asked
   */
  dispatch(units: string, values: readonly unknown[]): string;
  /** Tells the unit asked last of a rejection that nobody handled. @returns what `dispatch` returned */
  stray(message: string): string;
  isUsed(): boolean;
  /** Where a dispatch was interrupted: the answers before, as `dispatch` returns them. */
  cursor(): string;
}

/**
 * The context of the dispatcher holds the entry functions of the others and runs no user code. Only texts pass
 * between them: an object of another context would carry that context's constructors along.
 */
export function createDispatcher(): Dispatcher {
  const entries = new Map<string, Entry>();
  let answers: string[] = [];
  let asked: Entry | undefined;

  const ask = (unit: string, values: readonly unknown[], stores: Readonly<Record<string, string>>): string => {
    const entry = entries.get(unit);
    asked = entry;
    const [run, phase, facts, rest, , ...behind] = values;
    try {
      const answer: unknown = entry?.("run", unit, run, phase, facts, rest, stores[unit] ?? "", ...behind);
      if (typeof answer === "string") return answer;
    } catch {
      // Out of stack at the very edge, for one; the thrown value belongs to the other context and is not looked at.
    }
    return '-{"error":{"name":"Error","message":"the rule could not be run","stack":"","kind":"threw"}}';
  };

  return {
    attach(unit, entry) {
      if (typeof entry === "function") entries.set(unit, entry as Entry);
    },
    dispatch(units, values) {
      answers = [];
      const [, , , , storesText] = values;
      const stores = typeof storesText === "string" && storesText !== "" ? (JSON.parse(storesText) as Record<string, string>) : {};
      for (const unit of units.split(",")) {
        const answer = ask(unit, values, stores);
        answers.push(answer);
        if (!answer.startsWith("-")) break;
      }
      return answers.join("\n");
    },
    isUsed: () => entries.size > 0,
    stray(message) {
      asked?.("stray", message);
      return answers.join("\n");
    },
    cursor: () => answers.join("\n"),
  };
}
