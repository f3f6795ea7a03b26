/** Ledger, keys, limits, cache and routing state in one file, shared by as many processes of one machine as open it. */

import { resolve } from "node:path";

import type { Outbox } from "../../sdk/outbox.ts";
import type { PresenceStore } from "../../sdk/presence.ts";
import type { Engine, Stores } from "../../sdk/stores.ts";
import { createSqliteCache } from "./cache.ts";
import { Database } from "./database.ts";
import { SqliteError } from "./errors.ts";
import { preparePrivateFile, statOf, syncFolder } from "./file.ts";
import { createSqliteKeys } from "./keys.ts";
import { createSqliteLedger } from "./ledger.ts";
import { createSqliteLimits } from "./limits.ts";
import { migrate } from "./migrations.ts";
import { createSqliteOutbox } from "./outbox.ts";
import { createSqlitePresence } from "./presence.ts";
import { createSqliteRouting } from "./routing.ts";

export { SqliteError } from "./errors.ts";

export interface SqliteOptions {
  /** Of the file; made (0600) with its folder (0700) where there is none. On a local disk. */
  readonly path: string;
  /** ms since 1970, the same for all who share the file. */
  readonly wallClock: () => number;
  /** Of the cache. Default: 256 MB. */
  readonly maxCacheBytes?: number | undefined;
  /** A call waits, and blocks, so long for others that write, ms. Default: 5 s. */
  readonly busyMs?: number | undefined;
}

export type SqliteEngine = Engine & Required<Stores> & { readonly outbox: Outbox; readonly presence: PresenceStore };

/** What is written at one moment takes microseconds; only a migration or a process that was stopped takes so long. */
const usualBusyMs = 5000;
const usualCacheBytes = 256 * 1024 * 1024;

/**
 * Opens the file and brings its tables up to date. Calls of its stores block, for some tens of microseconds mostly, and throw rather than reject.
 *
 * @throws SqliteError that says which file, what is wrong and what to do
 */
export function openSqlite({ path: given, wallClock, maxCacheBytes = usualCacheBytes, busyMs = usualBusyMs }: SqliteOptions): SqliteEngine {
  const path = resolve(given);
  preparePrivateFile(path);
  const database = new Database(path, { durability: "normal", busyMs });
  let durable: Database;
  try {
    migrate(database);
    durable = new Database(path, { durability: "full", busyMs });
  } catch (error) {
    database.close();
    throw error;
  }
  syncFolder(path);
  const inode = statOf(path)?.ino;

  const open = new Set<keyof Stores>(["ledger", "keys", "limits", "cache", "routing"]);
  /** The file is closed with the last of its stores. */
  const closing = (store: keyof Stores) => async (): Promise<void> => {
    open.delete(store);
    if (open.size > 0) return;
    durable.close();
    database.close();
  };
  const stores = {
    ledger: createSqliteLedger(database, closing("ledger")),
    keys: createSqliteKeys(durable, closing("keys")),
    limits: createSqliteLimits(database, wallClock, closing("limits")),
    cache: createSqliteCache(database, { wallClock, maxBytes: maxCacheBytes }, closing("cache")),
    routing: createSqliteRouting(database, wallClock, closing("routing")),
  };

  return {
    name: "sqlite",
    ...stores,
    outbox: createSqliteOutbox(database),
    presence: createSqlitePresence(database, wallClock),
    async ping() {
      database.read(() => database.get("SELECT epoch FROM record_version"));
      // What is written to a file that has no name any more is gone when the process ends.
      if (statOf(path)?.ino !== inode)
        throw new SqliteError("failed", `${path} was deleted or replaced while it was in use: start ccproxy again`);
    },
    async close() {
      for (const store of Object.values(stores)) await store.close();
    },
  };
}
