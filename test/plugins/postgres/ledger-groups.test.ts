import { randomBytes } from "node:crypto";

import { expect, test, vi } from "vitest";

import type { LedgerWrite } from "../../../sdk/ledger.ts";
import { openPostgres } from "../../../plugins/postgres/index.ts";
import { runSql } from "../../servers/postgres.ts";
import { useEngines } from "./engines.ts";
import { cost, exchangeWrites } from "./ledger-writes.ts";

const engines = useEngines();

test("five hundred writes at once are a handful of transactions", async () => {
  const url = await engines.server.createDatabase();
  // A server tells of a connection's transactions for sure when it has ended.
  const commits = async (): Promise<number> => {
    const sql = "select 1 from pg_stat_activity where datname = current_database() and application_name = 'ccproxy'";
    await vi.waitFor(async () => expect(await runSql(url, sql)).toEqual([]), { timeout: 10_000 });
    const [row] = await runSql(engines.server.url, "select xact_commit::int as count from pg_stat_database where datname = $1", [
      new URL(url).pathname.slice(1),
    ]);
    return Number(row?.["count"]);
  };
  const inserts = "select n_tup_ins::int as count from pg_stat_user_tables where relname = 'exchanges'";
  await (await openPostgres({ url })).close();
  const before = await commits();
  const engine = await openPostgres({ url });
  await Promise.all(Array.from({ length: 500 }, async (_, index) => engine.ledger.write(exchangeWrites(`e${index}`))));
  await engine.close();
  // Opening and looking on take some as well.
  expect((await commits()) - before).toBeLessThan(40);
  expect(await runSql(url, inserts)).toEqual([{ count: 500 }]);
});

test("one bad row fails its own caller, and nobody else's", async () => {
  const [engine] = await engines.openTwo();
  const results = await Promise.allSettled(
    Array.from({ length: 30 }, async (_, index) =>
      // No whole number of nano-dollars.
      engine.ledger.write(exchangeWrites(`e${index}`, index % 10 === 3 ? { cost: 0.5 } : {})),
    ),
  );
  const failed = results.flatMap(({ status }, index) => (status === "rejected" ? [index] : []));
  expect(failed).toEqual([3, 13, 23]);
  expect(await engine.ledger.totals([], {})).toMatchObject([{ requests: 27, cost: 27 * cost }]);
  // All of its writes or none.
  expect(await engine.ledger.attempts("e3")).toEqual([]);
});

test("writes count in their order, however they are put together", async () => {
  const [engine] = await engines.openTwo();
  const [exchange, attempt, settle, end] = exchangeWrites("e") as [LedgerWrite, LedgerWrite, LedgerWrite, LedgerWrite];
  // What ends what is not there yet counts for nothing.
  await engine.ledger.write([end, settle, exchange, attempt]);
  expect(await engine.ledger.exchanges({}, 1)).toMatchObject([{ id: "e", end: undefined }]);
  expect(await engine.ledger.attempts("e")).toMatchObject([{ state: "reserved" }]);
  // Of several, the first one counts.
  const others = exchangeWrites("e", { cost: 1 });
  await Promise.all([engine.ledger.write([settle, end]), engine.ledger.write(others)]);
  expect(await engine.ledger.exchanges({}, 1)).toMatchObject([{ end: { cost } }]);
});

test("two processes that write of the same exchanges in other orders both come through", async () => {
  const [one, two] = await engines.openTwo();
  const ids = Array.from({ length: 300 }, (_, index) => `e${index}`);
  for (let round = 0; round < 5; round += 1) {
    const writes = ids.flatMap((id) => exchangeWrites(`${round} ${id}`));
    await Promise.all([one.ledger.write(writes), two.ledger.write(ids.toReversed().flatMap((id) => exchangeWrites(`${round} ${id}`)))]);
  }
  expect(await one.ledger.totals([], {})).toMatchObject([{ requests: 1500, cost: 1500 * cost }]);
});

test("texts that PostgreSQL does not know are kept and found", async () => {
  const [engine] = await engines.openTwo();
  // What repeats itself would be compressed before it is found too long for an index.
  const long = randomBytes(10_000).toString("hex");
  const strange = ["a\0b", "a\uE0000000b", "\uD800", "\uDC00", "\uE000", long, `${long}\0`];
  await Promise.all(strange.map(async (session, index) => engine.ledger.write(exchangeWrites(`e${index}`, { session }))));
  for (const [index, session] of strange.entries())
    expect(await engine.ledger.exchanges({ session }, 10)).toMatchObject([{ id: `e${index}`, session }]);
});

test("a sum that is too large to be exact is an error, and not another sum", async () => {
  const [engine] = await engines.openTwo();
  await engine.ledger.write([...exchangeWrites("e1", { cost: 9e15 }), ...exchangeWrites("e2", { cost: 9e15 })]);
  await expect((async () => engine.ledger.totals([], {}))()).rejects.toThrow(/18000000000000000 is too large to be exact/);
  await engine.ping();
});
