/** What is known of the hosts behind the deployments: their connections, and how far they may be asked again. */

import type { BudgetState } from "./attempts/retry-budget.ts";
import type { UpstreamRow } from "./status.ts";
import type { OriginFigures } from "./upstream/pools.ts";

export function describeUpstreams(figures: readonly OriginFigures[], budgets: readonly BudgetState[]): readonly UpstreamRow[] {
  const byOrigin = new Map(budgets.map((budget) => [budget.origin, budget]));
  const connected = figures.map(({ origin, proxy, connections, inFlight, waiting: queued }): UpstreamRow => {
    const budget = byOrigin.get(origin);
    byOrigin.delete(origin);
    return {
      origin,
      proxy: proxy ?? null,
      connections,
      inFlight,
      queued,
      retries: budget?.retries ?? 0,
      retryTokens: budget?.tokens ?? 10,
    };
  });
  const others = [...byOrigin.values()].map(({ origin, inFlight, retries, tokens }): UpstreamRow => ({
    origin,
    proxy: null,
    connections: 0,
    inFlight,
    queued: 0,
    retries,
    retryTokens: tokens,
  }));
  return [...connected, ...others];
}
