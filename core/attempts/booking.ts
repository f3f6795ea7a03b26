/** One attempt in the books: begun, and ended exactly once, whatever becomes of it. */

import type { AttemptEnd, RoutingStore } from "../../sdk/routing-store.ts";
import type { RetryBudgets } from "./retry-budget.ts";

export interface BookedAttempt {
  /** Only the first call counts. @returns whether it was this one */
  end(end: AttemptEnd): boolean;
}

export interface BookingOptions {
  readonly deploymentId: string;
  /** Of the upstream. */
  readonly origin: string;
  /** Whether this upstream has failed for the same request already. */
  readonly isRetry: boolean;
  /** Gives the deployment's slot back. */
  readonly release: () => void;
}

export interface Books {
  readonly store: RoutingStore;
  readonly budgets: RetryBudgets;
}

export function book({ store, budgets }: Books, { deploymentId, origin, isRetry, release }: BookingOptions): BookedAttempt {
  const leave = budgets.begin(origin, isRetry);
  void store.begin(deploymentId);
  let isOver = false;
  return {
    end(end) {
      if (isOver) return false;
      isOver = true;
      release();
      leave();
      void store.end(deploymentId, end);
      return true;
    },
  };
}
