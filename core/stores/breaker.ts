/** Leaves a server alone that has failed too often, and finds out when it is back. */

import type { Awaitable } from "../../sdk/routing-store.ts";

export interface BreakerOptions {
  /** So many in a row, and the server is away. */
  readonly failures: number;
  /** Between two probes while it is away, ms. */
  readonly probeEveryMs: number;
  /** Resolves when the server is back. */
  readonly probe: () => Awaitable<unknown>;
  readonly onChange: (isAway: boolean) => void;
}

export interface Breaker {
  readonly isAway: boolean;
  /**
   * Asks the server, unless it is away.
   *
   * @throws NotAskedError while it is away, else whatever `action` throws
   */
  attempt<Result>(action: () => Awaitable<Result>): Promise<Result>;
  /** No more probes. */
  close(): void;
}

/** The server is away, and was left alone. Its cause is what it failed with last. */
export class NotAskedError extends Error {
  override readonly name = "NotAskedError";
}

export function createBreaker({ failures, probeEveryMs, probe, onChange }: BreakerOptions): Breaker {
  let isAway = false;
  let inRow = 0;
  let lastError: unknown;
  let timer: NodeJS.Timeout | undefined;
  let isClosed = false;

  function probeLater(): void {
    if (isClosed) return;
    timer = setTimeout(() => void tryAgain(), probeEveryMs).unref();
  }

  async function tryAgain(): Promise<void> {
    try {
      await probe();
    } catch (error) {
      lastError = error;
      probeLater();
      return;
    }
    if (isClosed) return;
    isAway = false;
    inRow = 0;
    onChange(false);
  }

  function count(error: unknown): void {
    lastError = error;
    inRow += 1;
    if (isAway || inRow < failures) return;
    isAway = true;
    if (isClosed) return;
    probeLater();
    onChange(true);
  }

  return {
    get isAway() {
      return isAway;
    },
    async attempt(action) {
      if (isAway) throw new NotAskedError("the server is away", { cause: lastError });
      try {
        const result = await action();
        // What was asked before it went away says nothing about it now.
        if (!isAway) inRow = 0;
        return result;
      } catch (error) {
        count(error);
        throw error;
      }
    },
    close() {
      isClosed = true;
      clearTimeout(timer);
    },
  };
}
