/** User code that runs when a reply has left or its exchange is over: nothing waits for it but a stop. */

import type { Exchange } from "../exchange.ts";
import type { UserProgram } from "./user-program.ts";

export interface AfterwardsServices {
  /** Tracks work that a stop waits for, and logs its failure. */
  inBackground(work: Promise<unknown>): void;
}

const last = new WeakMap<Exchange, Promise<unknown>>();

/** What still runs for an exchange; undefined when nothing does, or did. */
export function afterwardsOf(exchange: Exchange): Promise<unknown> | undefined {
  return last.get(exchange);
}

/** Nothing aborts it: its caller may have left, and the sandbox has limits of its own. */
const unending = new AbortController().signal;

/**
 * Runs after what was given before for the same exchange: `onComplete` comes last, and sees what the others wrote.
 * The program stays loaded meanwhile.
 */
export function runAfterwards(
  exchange: Exchange,
  services: AfterwardsServices,
  program: UserProgram,
  work: (signal: AbortSignal) => Promise<void>,
): void {
  const release = program.retain();
  const before = last.get(exchange) ?? Promise.resolve();
  const running = before
    .catch(() => undefined)
    .then(() => work(unending))
    .finally(release);
  last.set(exchange, running);
  services.inBackground(running);
}
