/** Work that goes on when its request has ended: nothing waits for it but a stop. */

export interface Background {
  add(work: Promise<unknown>): void;
  /** Resolves when nothing goes on any more, or after the given time, ms. */
  idle(withinMs: number): Promise<void>;
}

/** @param onError told of work that failed */
export function createBackground(onError: (error: unknown) => void): Background {
  const going = new Set<Promise<void>>();
  return {
    add(work) {
      const tracked: Promise<void> = work.then(() => undefined, onError).finally(() => going.delete(tracked));
      going.add(tracked);
    },
    async idle(withinMs) {
      const { promise: late, resolve } = Promise.withResolvers<void>();
      let isLate = false;
      const timer = setTimeout(() => {
        isLate = true;
        resolve();
      }, withinMs);
      // What ends may have begun something else.
      while (going.size > 0 && !isLate) await Promise.race([Promise.all(going), late]);
      clearTimeout(timer);
    },
  };
}
