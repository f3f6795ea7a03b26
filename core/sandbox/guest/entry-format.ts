/** How the host speaks with the runtime inside an isolate: one function, strings in and one string out. Types only. */

import type { Json } from "../../../sdk/body.ts";
import type { GrantNames } from "../protocol.ts";

/** What the runtime is told of a unit; its code comes apart. */
export interface UnitInfo {
  readonly unit: number;
  readonly kind: "rule" | "hook" | "callback";
  readonly file: string;
  readonly exportName: string;
  readonly params: { readonly positional: readonly Json[]; readonly named: { readonly [key: string]: Json } };
  readonly env: Readonly<Record<string, string>>;
  readonly grants: GrantNames;
  readonly pseudonymKey: string;
}

/**
 * The runtime's one function. All values are texts but for the entry that is attached. The first says what is wanted:
 * - `load, units, code`: JSON of {@link UnitInfo}s and the script → JSON of the manifests
 * - `run, unit, run, phase, facts, rest of the context, stores, subject, part names, ...parts` → {@link Answer}
 * - `poll, run` → answer; `resume, run, results` → nothing, poll for the answer; `abort, run, reason`; `drop, run`
 * - `events, unit, heads, ...events` → an answer per stream, in lines; `poll-events, unit, stream` → answer; `end, stream`.
 *   Heads: JSON of `[stream, number of events, facts, rest of the context, stores]`, the last three empty once the stream is known
 * - `stray, message` → the answer given last: a rejection nobody handled has hidden it
 * - `attach, unit, entry`, `dispatch, units, run, …like run from the phase on, stores as JSON by unit` and `cursor`:
 *   of the context that calls the others, see dispatch.ts
 */
export type Entry = (operation: string, ...values: readonly unknown[]) => string;

/**
 * The first letter, with JSON behind it:
 * - `-` done, the next unit is to run; `+` done, no other is. The outcome without `unit` and `us`; nothing where it is empty.
 * - `?` not known before the microtasks have run: poll.
 * - `!` parts are missing: their names.
 * - `@` waits for operations: those that are new.
 */
export type Answer = string;
