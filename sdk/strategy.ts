/** How one of several deployments is chosen. Strategies are pure: the proxy measures, they only compare. */

import type { Awaitable, DeploymentState } from "./routing-store.ts";

/** A deployment that may be asked now: healthy, allowed by its tags, able to do what the request wants. */
export interface Candidate {
  readonly deploymentId: string;
  readonly group: string;
  readonly model: string;
  readonly providerName: string;
  /** As configured; undefined where not. */
  readonly weight: number | undefined;
  /** Requests a minute. */
  readonly rpm: number | undefined;
  /** Tokens a minute. */
  readonly tpm: number | undefined;
  /** US dollars a token; undefined where nobody knows. */
  readonly inputCost: number | undefined;
  readonly outputCost: number | undefined;
  readonly state: DeploymentState;
}

export interface StrategyRequest {
  readonly stream: boolean;
  /** Roughly, from the size of the request. */
  readonly inputTokens: number;
  /** From 0 to less than 1. */
  readonly random: () => number;
}

export interface Strategy {
  /** False: it never looks at `state`, which spares looking it up. Default: true. */
  readonly usesState?: boolean;
  /** @param candidates never empty @returns undefined when each of them is over its limits */
  choose(candidates: readonly Candidate[], request: StrategyRequest): Awaitable<Candidate | undefined>;
}

export interface StrategyFactory {
  /** As in `routing_strategy`, e.g. `least-busy`. */
  readonly name: string;
  readonly summary: string;
  /** @param args `routing_strategy_args` @throws StrategyArgumentError */
  create(args: Readonly<Record<string, unknown>>): Strategy;
}

/** Says what an argument is and what was wanted. */
export class StrategyArgumentError extends Error {
  override readonly name = "StrategyArgumentError";
  /** Name of the argument. */
  readonly argument: string;
  constructor(argument: string, message: string) {
    super(message);
    this.argument = argument;
  }
}
