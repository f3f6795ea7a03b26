/** Calls that a server did not take, done as soon as it does: so many times, so many of them, and what is given up is counted. */

import type { Awaitable } from "../../sdk/routing-store.ts";
import { type Breaker, NotAskedError } from "./breaker.ts";

export interface LateCallsOptions {
  readonly breaker: () => Breaker;
  /** The oldest ones are given up for new ones. */
  readonly maxWaiting: number;
  /** Between two tries, ms. */
  readonly retryMs: number;
}

export interface LateCalls {
  readonly waiting: number;
  /** Given up. */
  readonly dropped: number;
  /** @param maxTries after which it is given up, not counting those when the server was left alone; beyond 1, it may be done more than once */
  add(name: string, call: () => Awaitable<void>, maxTries: number): void;
  has(name: string): boolean;
  forget(name: string): void;
  /** For a call that must not be done twice, and may have been done. */
  drop(): void;
  /** Tries all of them now; never rejects. */
  drain(): Promise<void>;
  /** Gives up those that wait. */
  close(): void;
}

interface Late {
  readonly call: () => Awaitable<void>;
  triesLeft: number;
}

const batch = 100;

export function createLateCalls({ breaker, maxWaiting, retryMs }: LateCallsOptions): LateCalls {
  const calls = new Map<string, Late>();
  let dropped = 0;
  let timer: NodeJS.Timeout | undefined;
  let draining: Promise<void> | undefined;
  let isClosed = false;

  /** While the server is away nothing has to be tried: whoever finds it back drains. */
  function retryLater(): void {
    if (isClosed || timer !== undefined || calls.size === 0 || breaker().isAway) return;
    timer = setTimeout(() => {
      timer = undefined;
      void drain();
    }, retryMs).unref();
  }

  async function tryOne(name: string, late: Late): Promise<void> {
    try {
      await breaker().attempt(late.call);
    } catch (error) {
      if (error instanceof NotAskedError) return;
      late.triesLeft -= 1;
      if (late.triesLeft > 0) return;
      dropped += 1;
    }
    // Another one may have come in its place.
    if (calls.get(name) === late) calls.delete(name);
  }

  async function tryAll(): Promise<void> {
    const due = [...calls];
    for (let from = 0; from < due.length && !breaker().isAway; from += batch) {
      const still = due.slice(from, from + batch).filter(([name, late]) => calls.get(name) === late);
      await Promise.all(still.map(async ([name, late]) => tryOne(name, late)));
    }
  }

  async function drain(): Promise<void> {
    draining ??= tryAll().finally(() => {
      draining = undefined;
      retryLater();
    });
    return draining;
  }

  return {
    get waiting() {
      return calls.size;
    },
    get dropped() {
      return dropped;
    },
    add(name, call, maxTries) {
      calls.delete(name);
      calls.set(name, { call, triesLeft: maxTries });
      const [oldest] = calls.keys();
      if (calls.size > maxWaiting && oldest !== undefined) {
        calls.delete(oldest);
        dropped += 1;
      }
      retryLater();
    },
    has: (name) => calls.has(name),
    forget: (name) => void calls.delete(name),
    drop() {
      dropped += 1;
    },
    drain,
    close() {
      isClosed = true;
      clearTimeout(timer);
      dropped += calls.size;
      calls.clear();
    },
  };
}
