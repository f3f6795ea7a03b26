/** Rows of a ledger that wait for their server. */

import type { LedgerWrite } from "../../sdk/ledger.ts";
import type { Outbox } from "../../sdk/outbox.ts";
import type { Database } from "./database.ts";

/** Numbers have no gaps, as only the oldest are removed; to count the rows would read all that waits, which may be gigabytes. */
const count = "SELECT coalesce((SELECT max(number) FROM outbox) - (SELECT min(number) FROM outbox) + 1, 0) AS waiting";

export function createSqliteOutbox(database: Database): Outbox {
  return {
    append: (writes) => database.transaction(() => void database.run("INSERT INTO outbox (writes) VALUES (?)", JSON.stringify(writes))),
    peek: (limit) =>
      database.read(() =>
        database.all("SELECT number, writes FROM outbox ORDER BY number LIMIT ?", limit).map(({ number, writes }) => ({
          id: Number(number),
          writes: JSON.parse(String(writes)) as readonly LedgerWrite[],
        })),
      ),
    removeUpTo: (id) => database.transaction(() => void database.run("DELETE FROM outbox WHERE number <= ?", id)),
    count: () => database.read(() => Number(database.get(count)?.["waiting"])),
  };
}
