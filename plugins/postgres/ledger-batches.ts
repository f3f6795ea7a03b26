/** Writes of a ledger as lists of rows: as few as there can be, with the effect that they would have one after the other. */

import type { LedgerWrite } from "../../sdk/ledger.ts";
import type { Row } from "./database.ts";
import { toAttemptRow, toEndRow, toExchangeRow, toSettlementRow } from "./ledger-rows.ts";

/** The lists are written in this order. */
export interface LedgerBatch {
  readonly exchanges: readonly Row[];
  readonly attempts: readonly Row[];
  readonly settlements: readonly Row[];
  readonly ends: readonly Row[];
}

/** Each with the first of what is said of a row: what is there is not written again. */
interface OpenBatch {
  readonly exchanges: Map<string, Row>;
  readonly attempts: Map<string, Row>;
  readonly settlements: Map<string, Row>;
  readonly ends: Map<string, Row>;
}

/** A batch ends only where a row begins whose end is in it already, and in the wrong order would count. */
export function toBatches(writes: readonly LedgerWrite[]): readonly LedgerBatch[] {
  const batches: OpenBatch[] = [];
  for (const write of writes) {
    let batch = batches.at(-1);
    if (batch === undefined || isTooLate(write, batch)) {
      batch = { exchanges: new Map(), attempts: new Map(), settlements: new Map(), ends: new Map() };
      batches.push(batch);
    }
    add(write, batch);
  }
  return batches.map(({ exchanges, attempts, settlements, ends }) => ({
    exchanges: [...exchanges.values()],
    attempts: [...attempts.values()],
    settlements: [...settlements.values()],
    ends: [...ends.values()],
  }));
}

function isTooLate(write: LedgerWrite, batch: OpenBatch): boolean {
  if (write.type === "exchange") return batch.ends.has(write.row.id);
  return write.type === "attempt" && batch.settlements.has(attemptKey(write.row));
}

function add(write: LedgerWrite, batch: OpenBatch): void {
  switch (write.type) {
    case "exchange":
      return addFirst(batch.exchanges, write.row.id, () => toExchangeRow(write.row));
    case "attempt":
      return addFirst(batch.attempts, attemptKey(write.row), () => toAttemptRow(write.row));
    case "settle":
      return addFirst(batch.settlements, attemptKey(write.row), () => toSettlementRow(write.row));
    case "end":
      return addFirst(batch.ends, write.row.id, () => toEndRow(write.row));
  }
}

function addFirst(rows: Map<string, Row>, key: string, toRow: () => Row): void {
  if (!rows.has(key)) rows.set(key, toRow());
}

function attemptKey({ exchangeId, number }: { readonly exchangeId: string; readonly number: number }): string {
  return `${number} ${exchangeId}`;
}
