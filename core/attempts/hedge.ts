/** Two attempts side by side: the second begins when the first has been silent for a while, and whoever has content first is taken. */

import { wait } from "./wait.ts";

/** One that runs. */
export interface Contender<Result> {
  readonly result: Promise<Result>;
  /** It is not wanted any more, whether it has ended or not. */
  readonly discard: () => void;
}

export interface HedgeOptions<Result> {
  readonly afterMs: number;
  readonly signal: AbortSignal;
  readonly first: Contender<Result>;
  /** Undefined where there is nobody else to ask. */
  readonly second: () => Promise<Contender<Result> | undefined>;
  readonly isTaken: (result: Result) => boolean;
}

/**
 * @returns what came of each that has ended, in that order; only the last can be the one that is taken
 * @throws what a contender throws where no other is left, and the reason of the signal
 */
export async function hedge<Result>({ afterMs, signal, first, second, isTaken }: HedgeOptions<Result>): Promise<readonly Result[]> {
  const early = await Promise.race([first.result, waitQuietly(afterMs, signal, first.result)]);
  if (early !== silent) return [early];
  const other = await second();
  if (other === undefined) return [await first.result];
  const running = new Set([first, other]);
  const ended: Result[] = [];
  let failure: { readonly of: unknown } | undefined;
  try {
    while (running.size > 0) {
      const next = await Promise.race([...running].map(outcomeOf));
      running.delete(next.contender);
      if ("error" in next) failure ??= { of: next.error };
      else ended.push(next.result);
      if ("result" in next && isTaken(next.result)) return ended;
    }
  } finally {
    for (const { discard } of running) discard();
  }
  if (ended.length === 0 && failure !== undefined) throw failure.of;
  return ended;
}

const silent = Symbol("silent");

/** The wait ends with the attempt it waits for. */
async function waitQuietly(ms: number, signal: AbortSignal, until: Promise<unknown>): Promise<typeof silent> {
  const over = new AbortController();
  const stop = (): void => over.abort(new Error("not waited for any more"));
  until.then(stop, stop);
  try {
    await wait(ms, AbortSignal.any([signal, over.signal]));
    return silent;
  } catch (error) {
    if (signal.aborted) throw error;
    return new Promise(() => undefined);
  }
}

type Ended<Result> = { readonly contender: Contender<Result> } & ({ readonly result: Result } | { readonly error: unknown });

async function outcomeOf<Result>(contender: Contender<Result>): Promise<Ended<Result>> {
  try {
    return { contender, result: await contender.result };
  } catch (error) {
    return { contender, error };
  }
}
