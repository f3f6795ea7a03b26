/** Ledger, keys and limits in a PostgreSQL database that any number of processes share. */

import type { KeyStore } from "../../sdk/keys.ts";
import type { LedgerStore } from "../../sdk/ledger.ts";
import type { LimitStore } from "../../sdk/limits.ts";
import type { PresenceStore } from "../../sdk/presence.ts";
import type { Engine } from "../../sdk/stores.ts";
import { createDatabase } from "./database.ts";
import { createKeyStore } from "./key-store.ts";
import { createLedgerStore } from "./ledger-store.ts";
import { createLimitStore } from "./limit-store.ts";
import { createPresenceStore } from "./presence.ts";
import { migrate } from "./migrations.ts";

export interface PostgresOptions {
  /** `postgres://user:password@host:5432/database`, of a server of version 15 or later. */
  readonly url: string;
  /** Connections at most. Default: 10. */
  readonly poolSize?: number | undefined;
  /** ms since 1970, in place of the server's clock, which all processes share: for tests only. */
  readonly wallClock?: (() => number) | undefined;
  /** Where the tables are. Default: `ccproxy`. */
  readonly schema?: string | undefined;
}

export interface PostgresEngine extends Engine {
  readonly ledger: LedgerStore;
  readonly keys: KeyStore;
  readonly limits: LimitStore;
  readonly presence: PresenceStore;
}

/**
 * Connects, and creates or updates the tables.
 *
 * @throws PostgresError when the server cannot be reached, is too old, or has the tables of a newer version; holds no password
 */
export async function openPostgres({ url, poolSize = 10, wallClock, schema = "ccproxy" }: PostgresOptions): Promise<PostgresEngine> {
  const database = createDatabase(url, schema, poolSize);
  try {
    await migrate(database);
  } catch (error) {
    await database.close();
    throw error;
  }
  const ledger = createLedgerStore(database);
  return {
    name: "postgres",
    ledger,
    keys: createKeyStore(database),
    limits: createLimitStore(database, wallClock),
    presence: createPresenceStore(database),
    async ping() {
      await database.query("select 1");
    },
    async close() {
      await ledger.close();
      await database.close();
    },
  };
}
