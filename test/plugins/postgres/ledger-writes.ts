/** An exchange with one attempt, as short as it can be. */

import type { LedgerWrite } from "../../../sdk/ledger.ts";

export const cost = 700;

export function exchangeWrites(id: string, more: { readonly cost?: number; readonly session?: string } = {}): readonly LedgerWrite[] {
  const instance = "here";
  return [
    {
      type: "exchange",
      row: {
        id,
        instance,
        startedAt: 1000,
        operation: "generate",
        caller: { kind: "local" },
        session: more.session,
        label: "default",
        modelAsked: "opus",
        tags: [],
      },
    },
    {
      type: "attempt",
      row: {
        exchangeId: id,
        number: 1,
        instance,
        startedAt: 1000,
        deploymentId: "d",
        group: "opus",
        provider: "anthropic",
        model: "opus",
        apiBase: "https://api.anthropic.com",
        reason: "first",
        estimate: 900,
      },
    },
    { type: "settle", row: { exchangeId: id, number: 1, state: "settled", endedAt: 2000, cost, isEstimate: false } },
    {
      type: "end",
      row: {
        id,
        endedAt: 2000,
        outcome: "completed",
        status: 200,
        isCacheHit: false,
        ms: 1000,
        cost: more.cost ?? cost,
        costAsAsked: null,
      },
    },
  ];
}
