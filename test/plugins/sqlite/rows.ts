/** What the tests write into a ledger: an exchange with several attempts, in one go. */

import type { LedgerWrite } from "../../../sdk/ledger.ts";

/** 2026-11-23T00:00:00Z */
export const midnight = 1_795_392_000_000;
export const attemptsPerBatch = 5;
/** Found nowhere else in a file. */
export const cost = 0x12_3456_789a;

/** Large enough for the log to be written back now and then. */
const metadata = { padding: "p".repeat(3000) };

export function batch(id: string): readonly LedgerWrite[] {
  const attempts = Array.from({ length: attemptsPerBatch }, (_, index): LedgerWrite => {
    const target = { deploymentId: "d", group: "g", provider: "p", model: "m", apiBase: "https://example.com", reason: "first" };
    return { type: "attempt", row: { exchangeId: id, number: index + 1, instance: "i", startedAt: midnight, estimate: 1, ...target } };
  });
  const what = { operation: "generate", caller: { kind: "key", keyId: "k" }, label: "l", modelAsked: "m", tags: ["t"], metadata };
  const end = { outcome: "completed", status: 200, isCacheHit: false, ms: 1, cost, costAsAsked: cost };
  return [
    { type: "exchange", row: { id, instance: "i", startedAt: midnight, ...what } },
    ...attempts,
    { type: "end", row: { id, endedAt: midnight + 1, ...end } },
  ];
}
