/** Work that goes on when its request has ended: nothing waits for it but a stop. */

export interface Background {
  add(work: Promise<unknown>): void;
  /** Resolves when nothing goes on any more, or after the given time, ms. */
  idle(withinMs: number): Promise<void>;
}

/** @param onError told of work that failed */
export function createBackground(onError: (error: unknown) => void): Background {
  const going = new Set<Promise<void>>();
  /** What ends may have begun something else. */
  async function untilNone(): Promise<void> {
    while (going.size > 0) await Promise.all(going);
  }
  return {
    add(work) {
      const tracked: Promise<void> = work.then(() => undefined, onError).finally(() => going.delete(tracked));
      going.add(tracked);
    },
    async idle(withinMs) {
      const late = Promise.withResolvers<void>();
      const timer = setTimeout(late.resolve, withinMs);
      await Promise.race([untilNone(), late.promise]);
      clearTimeout(timer);
    },
  };
}
