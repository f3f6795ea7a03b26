/** The ledger of a proxy under test, read from its file by another connection. */

import { createOutboxedLedger } from "../../core/stores/outboxed-ledger.ts";
import { openSqlite, type SqliteEngine } from "../../plugins/sqlite/index.ts";
import type { LedgerStore } from "../../sdk/ledger.ts";

/** Everything that has been written by the time of a call is in what it returns. */
function upToDate(engine: SqliteEngine): LedgerStore {
  return createOutboxedLedger(engine.ledger, engine.outbox, () => engine.ping(), {
    gatherMs: 1,
    batch: 100,
    retryMs: 10,
    onChange: () => undefined,
    onRefused(_, error) {
      throw error;
    },
  });
}

export function openFile(directory: string): SqliteEngine & { readonly upToDate: LedgerStore } {
  const store = openSqlite({ path: `${directory}/ccproxy.db`, wallClock: () => Date.now() });
  return { ...store, upToDate: upToDate(store) };
}
