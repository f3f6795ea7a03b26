/** The contract of choosing among the deployments of a group. */

import type { ProxyError } from "../../sdk/errors.ts";
import type { Awaitable } from "../../sdk/routing-store.ts";
import type { Exchange } from "../exchange.ts";
import type { Leg, PlannedTarget } from "./leg.ts";

export interface ChoiceQuestion {
  readonly exchange: Exchange;
  readonly leg: Leg;
  /** Deployments that have failed for this request, with how often. They are chosen only where no other is left. */
  readonly tried: ReadonlyMap<string, number>;
}

/** What tipped the scales, for the trace. `panic`: all are cooled down, and one of them is asked nevertheless. */
export type ChosenBy = "only" | "affinity" | "strategy" | "panic";

export type Choice =
  | {
      readonly type: "target";
      readonly target: PlannedTarget;
      readonly by: ChosenBy;
      /** Others that are in use and have not been tried, this one not counted. */
      readonly others: number;
    }
  /** @param error what the caller is told: 429 where all are over their limits, 400 where none can do what is asked */
  | { readonly type: "none"; readonly error: ProxyError };

export interface Chooser {
  /** Returns a value, not a promise, where the store does. */
  choose(question: ChoiceQuestion): Awaitable<Choice>;
  /** The session's next request goes there as well. */
  bind(exchange: Exchange, target: PlannedTarget): Awaitable<void>;
}
