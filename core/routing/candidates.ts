/** Deployments as strategies see them, and which of them come first. */

import { type DeploymentState, unusedState } from "../../sdk/routing-store.ts";
import type { Candidate } from "../../sdk/strategy.ts";
import { lookUpDeployment } from "../models/look-up.ts";
import { type TokenPrices, pricesAt, pricesOfInfo } from "../models/prices.ts";
import type { Deployment } from "./deployment.ts";

/** Prices are looked up only where a strategy asks for them. */
export class DeploymentCandidate implements Candidate {
  readonly deployment: Deployment;
  readonly group: string;
  readonly state: DeploymentState;
  readonly #inputTokens: number;
  #prices: TokenPrices | undefined;

  constructor(
    deployment: Deployment,
    { group, state, inputTokens }: { group: string; state?: DeploymentState | undefined; inputTokens: number },
  ) {
    this.deployment = deployment;
    this.group = group;
    this.state = state ?? unusedState;
    this.#inputTokens = inputTokens;
  }

  get deploymentId(): string {
    return this.deployment.deploymentId;
  }

  get model(): string {
    return this.deployment.model;
  }

  get providerName(): string {
    return this.deployment.providerName;
  }

  get weight(): number | undefined {
    return this.deployment.routing.weight;
  }

  get rpm(): number | undefined {
    return this.deployment.routing.rpm;
  }

  get tpm(): number | undefined {
    return this.deployment.routing.tpm;
  }

  get inputCost(): number | undefined {
    return this.#pricesNow().input;
  }

  get outputCost(): number | undefined {
    return this.#pricesNow().output;
  }

  #pricesNow(): TokenPrices {
    return (this.#prices ??= pricesOf(this.deployment, this.#inputTokens));
  }
}

/** What the configuration says goes before what is known. */
function pricesOf(deployment: Deployment, inputTokens: number): TokenPrices {
  const said = [pricesOfInfo(deployment.params), pricesOfInfo(deployment.info), lookUpDeployment(deployment).prices].map((prices) =>
    prices === undefined ? {} : pricesAt(prices, inputTokens),
  );
  return { input: said.find(({ input }) => input !== undefined)?.input, output: said.find(({ output }) => output !== undefined)?.output };
}

/** Whether a minute's requests or tokens are used up. */
export function isOverLimits({ rpm, tpm, state }: Candidate): boolean {
  return (rpm !== undefined && state.requests >= rpm) || (tpm !== undefined && state.tokens >= tpm);
}

export function hasLimits({ routing: { rpm, tpm } }: Deployment): boolean {
  return rpm !== undefined || tpm !== undefined;
}

/**
 * In the order in which they are to be considered: those that have not failed for this request, by their `order`; then
 * those that failed least often.
 *
 * @param tried how often each has failed
 */
export function rank(
  candidates: readonly DeploymentCandidate[],
  tried: ReadonlyMap<string, number>,
): readonly (readonly DeploymentCandidate[])[] {
  const ranks: DeploymentCandidate[][] = [];
  const before = (one: DeploymentCandidate, other: DeploymentCandidate): number =>
    (tried.get(one.deploymentId) ?? 0) - (tried.get(other.deploymentId) ?? 0) || compareOrders(one.deployment, other.deployment);
  for (const candidate of candidates.toSorted(before)) {
    const [last] = ranks.at(-1) ?? [];
    if (last === undefined || before(last, candidate) < 0) ranks.push([candidate]);
    else ranks.at(-1)?.push(candidate);
  }
  return ranks;
}

/** Those without one come last. */
function compareOrders({ routing: one }: Deployment, { routing: other }: Deployment): number {
  if (one.order === other.order) return 0;
  return (one.order ?? Infinity) < (other.order ?? Infinity) ? -1 : 1;
}
