/** Something that the events of a reply pass through, one reply each, on their way from an upstream to the client. */

import type { JsonObject } from "../../../sdk/events.ts";

export interface EventFilter {
  /** What goes on in the event's place; empty while it is held back. */
  push(event: JsonObject): readonly JsonObject[];
  /** Call once, after the last event: what is still held, as it came. */
  end(): readonly JsonObject[];
}

/**
 * Whether the model itself came to an end. Of everything else, a limit, a stop sequence, a refusal, the last words may
 * be missing, and half a command must never be made into a whole one.
 */
export function isWhole(stopReason: unknown): boolean {
  return stopReason === "end_turn" || stopReason === "tool_use";
}
