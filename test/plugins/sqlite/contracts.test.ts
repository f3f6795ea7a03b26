import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach } from "vitest";

import { type SqliteEngine, openSqlite } from "../../../plugins/sqlite/index.ts";
import { describeCacheStore } from "../../contracts/cache-store.ts";
import { describeKeyStore } from "../../contracts/key-store.ts";
import { describeLedgerStore } from "../../contracts/ledger-store.ts";
import { describeLimitStore } from "../../contracts/limit-store.ts";
import { describeOutbox } from "../../contracts/outbox.ts";
import { describePresenceStore } from "../../contracts/presence.ts";
import { describeRoutingStore } from "../../contracts/routing-store.ts";

/** The beginning of a minute. */
const begin = 1_795_392_000_000;

const made: { readonly folder: string; readonly engines: SqliteEngine[] }[] = [];

interface Opened {
  readonly one: SqliteEngine;
  readonly two: SqliteEngine;
  readonly advance: (ms: number) => void;
  /** Closes both, and opens the file anew. */
  readonly reopen: () => Promise<SqliteEngine>;
}

/** Two engines over one new file, and one clock for both. */
function open(): Opened {
  const folder = mkdtempSync(join(tmpdir(), "ccproxy-sqlite-"));
  let time = begin;
  const options = { path: join(folder, "ccproxy.db"), wallClock: () => time, maxCacheBytes: 4 * 1024 * 1024 };
  const one = openSqlite(options);
  const two = openSqlite(options);
  const engines = [one, two];
  made.push({ folder, engines });
  return {
    one,
    two,
    advance: (ms) => {
      time += ms;
    },
    async reopen() {
      for (const engine of engines.splice(0)) await engine.close();
      const reopened = openSqlite(options);
      engines.push(reopened);
      return reopened;
    },
  };
}

afterEach(async () => {
  for (const { folder, engines } of made.splice(0)) {
    for (const engine of engines) await engine.close();
    rmSync(folder, { recursive: true });
  }
});

describeLedgerStore("sqlite", async () => {
  const { one, two } = open();
  return { store: one.ledger, other: two.ledger };
});

describeKeyStore("sqlite", async () => {
  const { one, two } = open();
  return { store: one.keys, other: two.keys };
});

describeLimitStore("sqlite", async () => {
  const { one, two, advance } = open();
  return { store: one.limits, other: two.limits, advance };
});

describeCacheStore("sqlite", async () => {
  const { one, advance } = open();
  return { store: one.cache, advance };
});

describeRoutingStore("sqlite", async () => {
  const { one, advance } = open();
  return { store: one.routing, advance };
});

describeOutbox("sqlite", async () => {
  const { one, two, reopen } = open();
  return { outbox: one.outbox, other: two.outbox, reopen: async () => (await reopen()).outbox };
});

describePresenceStore("sqlite", async () => {
  const { one, two, advance } = open();
  return { presence: one.presence, other: two.presence, advance };
});
