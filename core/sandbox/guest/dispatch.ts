/** Asks rules in turn, each in a context of its own, within one call from the host. */

import type { Entry } from "./entry-format.ts";
import { shareFacts } from "./facts.ts";

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
 * The context of the dispatcher holds the entry functions of the others and runs no user code. Between them pass
 * texts, and facts whose members are plain values: the runtime of the other context copies them, for with an object
 * of this one user code would hold this one's constructors.
 */
export function createDispatcher(): Dispatcher {
  const entries = new Map<string, Entry>();
  let answers: string[] = [];
  let asked: Entry | undefined;

  const ask = (entry: Entry | undefined, args: readonly unknown[]): string => {
    asked = entry;
    try {
      const answer: unknown = entry === undefined ? undefined : Reflect.apply(entry, undefined, args);
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
      const [run, phase, facts, rest, stores, ...behind] = values;
      const storesByUnit = typeof stores === "string" && stores !== "" ? (JSON.parse(stores) as Record<string, string>) : {};
      // The same list for all of them: only the unit and its stores differ.
      const args = ["run", "", run, phase, shareFacts(String(facts)), rest, "", ...behind];
      for (const unit of units.split(",")) {
        args[1] = unit;
        args[6] = storesByUnit[unit] ?? "";
        const answer = ask(entries.get(unit), args);
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
