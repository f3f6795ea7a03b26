/** Finds out that a host is stuck with what it is at work on, and only then. */

import { cpuMs } from "./process-stats.ts";

/** What a host has beyond the limit of a message before it is killed, ms: its own timers are to fire first. */
const graceMs = 100;
/** Processor time within the grace that tells a host at work from one that was not let run. */
const guiltyCpuMs = graceMs / 2;
/** A host that uses no processor is given up after so long beyond the limit, ms. */
const patienceMs = 2000;

export interface Watchdog {
  /** The host begins, or goes on with, something that may take so long, ms. */
  begin(limitMs: number): void;
  /** The host has nothing to do. */
  rest(): void;
  stop(): void;
}

/**
 * Between the limit and the end of the grace the host's processor time is compared: on a busy machine it may
 * have had none, and is not to blame. One timer runs on across many messages; arming one for each would cost more
 * than most messages do.
 *
 * @param onGuilty within limit + grace where the host was at work all the time
 */
export function createWatchdog(pid: number, onGuilty: () => void, readCpuMs: (pid: number) => number | undefined = cpuMs): Watchdog {
  let limitAt = Infinity;
  let suspect: { readonly since: number; readonly cpuMs: number | undefined } | undefined;
  let timer: NodeJS.Timeout | undefined;
  let firesAt = Infinity;

  const arm = (delayMs: number): void => {
    clearTimeout(timer);
    firesAt = performance.now() + delayMs;
    timer = setTimeout(fire, Math.ceil(delayMs));
    timer.unref();
  };
  const disarm = (): void => {
    clearTimeout(timer);
    timer = undefined;
    firesAt = Infinity;
  };

  const fire = (): void => {
    timer = undefined;
    firesAt = Infinity;
    if (limitAt === Infinity) return;
    const now = performance.now();
    if (suspect === undefined) {
      if (now < limitAt) return arm(limitAt - now);
      suspect = { since: now, cpuMs: readCpuMs(pid) };
      return arm(graceMs);
    }
    const leftMs = suspect.since + graceMs - now;
    if (leftMs > 0) return arm(leftMs);
    // If this process was held up, the answer stands in the socket; it is read before an immediate runs.
    setImmediate(judge);
  };

  const judge = (): void => {
    // It has answered, and may have begun something else.
    if (suspect === undefined) return;
    const { since, cpuMs: before } = suspect;
    const after = before === undefined ? undefined : readCpuMs(pid);
    const isStarved = before !== undefined && after !== undefined && after - before < guiltyCpuMs;
    if (isStarved && performance.now() - since < patienceMs) return arm(graceMs / 2);
    limitAt = Infinity;
    onGuilty();
  };

  return {
    begin(limitMs) {
      suspect = undefined;
      limitAt = performance.now() + limitMs;
      if (firesAt > limitAt) arm(limitMs);
    },
    rest() {
      suspect = undefined;
      limitAt = Infinity;
    },
    stop() {
      suspect = undefined;
      limitAt = Infinity;
      disarm();
    },
  };
}
