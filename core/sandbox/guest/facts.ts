/** Facts as user code reads them. */

import type { FactValues } from "../../../sdk/context.ts";
import { type LateFact, lateFacts } from "../late-facts.ts";

const { defineProperty } = Reflect;
const { hasOwn } = Object;

/**
 * Not frozen: it is this run's own copy, and freezing takes longer than parsing.
 *
 * @param text JSON of the facts that are there
 * @param readLate gives one that is not; may throw
 */
export function readFacts(text: string, readLate: ((name: LateFact) => unknown) | undefined): FactValues {
  const facts = JSON.parse(text) as FactValues;
  if (readLate === undefined) return facts;
  for (const name of lateFacts) {
    if (hasOwn(facts, name)) continue;
    const get = (): unknown => {
      const value = readLate(name);
      defineProperty(facts, name, { value, enumerable: true, configurable: true });
      return value;
    };
    defineProperty(facts, name, { get, enumerable: true, configurable: true });
  }
  return facts;
}
