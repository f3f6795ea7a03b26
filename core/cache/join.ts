/** Waiting for another one that asks the same, but not for ever. */

import type { Flights, Waited } from "./flights.ts";

/** A client that sees no sign of life for longer gives up. */
const longestWaitMs = 60_000;

/** @throws the reason of the signal */
export async function joinFor<Value>(
  flights: Flights<Value>,
  key: string,
  signal: AbortSignal,
  waitMs: number = longestWaitMs,
): Promise<Waited<Value> | "waited long enough"> {
  const flight = flights.begin(key);
  if (flight !== undefined) return { type: "first", flight };
  const patience = new AbortController();
  const timer = setTimeout(() => patience.abort(), waitMs);
  try {
    return await flights.join(key, AbortSignal.any([signal, patience.signal]));
  } catch (error) {
    signal.throwIfAborted();
    if (patience.signal.aborted) return "waited long enough";
    throw error;
  } finally {
    clearTimeout(timer);
  }
}
