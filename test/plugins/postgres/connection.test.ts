import { once } from "node:events";
import { createServer } from "node:net";
import { inspect } from "node:util";

import { Client } from "pg";
import { describe, expect, test, vi } from "vitest";

import { createDatabase } from "../../../plugins/postgres/database.ts";
import { openPostgres } from "../../../plugins/postgres/index.ts";
import { runSql } from "../../servers/postgres.ts";
import { useEngines } from "./engines.ts";
import { exchangeWrites } from "./ledger-writes.ts";

// With fsync: what is promised here is promised to people.
const engines = useEngines({ isDurable: true });

test("what had resolved when the server was killed is there when it is back, and nothing is there twice", async () => {
  const [engine, other] = await engines.openTwo();
  const stores = [engine.ledger, other.ledger];
  const written: string[] = [];
  const failures: unknown[] = [];
  let enough: (() => void) | undefined;
  const isBusy = new Promise<void>((resolve) => {
    enough = resolve;
  });
  const writers = Array.from({ length: 20 }, async (_, writer) => {
    for (let number = 0; failures.length === 0; number += 1) {
      const id = `${writer}-${number}`;
      try {
        await stores[writer % 2]?.write(exchangeWrites(id));
        written.push(id);
        if (written.length === 400) enough?.();
      } catch (error) {
        failures.push(error);
        return id;
      }
    }
    return undefined;
  });
  await isBusy;
  await engines.server.kill();
  const unsure = (await Promise.all(writers)).filter((id) => id !== undefined);
  expect(unsure.length).toBeGreaterThan(0);
  for (const failure of failures) expect(failure).toMatchObject({ name: "PostgresError", message: expect.stringContaining("127.0.0.1") });

  await engines.server.restart();
  const ids = new Set((await engine.ledger.exchanges({}, 100_000)).map(({ id }) => id));
  expect(written.filter((id) => !ids.has(id))).toEqual([]);
  // All of a call or none of it.
  for (const id of unsure) expect(await engine.ledger.attempts(id)).toHaveLength(ids.has(id) ? 1 : 0);
  // Those whose end nobody knows are written again.
  await Promise.all(unsure.map(async (id) => other.ledger.write(exchangeWrites(id))));
  const all = written.length + unsure.length;
  expect(await engine.ledger.totals([], {})).toMatchObject([{ requests: all, cost: all * 700 }]);
});

test("calls reject while the server is away, and work when it is back", async () => {
  const [engine] = await engines.openTwo();
  await engine.ping();
  await Promise.all(Array.from({ length: 5 }, async () => engine.ping()));
  await engines.server.stop();
  const calls = [
    async () => engine.ping(),
    async () => engine.ledger.write(exchangeWrites("e")),
    async () => engine.keys.get("key", "k"),
    async () => engine.limits.reserve("r", [], 1000),
  ];
  for (const call of calls) await expect(call()).rejects.toThrow(/^PostgreSQL \(127\.0\.0\.1:\d+\/test_\d+\) cannot be reached: /);
  await engines.server.restart();
  for (const call of calls) await call();
});

test("calls under way when a connection ends reject, and the next ones get another", async () => {
  const [engine] = await engines.openTwo();
  const url = await engines.server.createDatabase();
  const slow = await engines.open({ url });
  // A lock that somebody else holds keeps the call under way.
  const client = new Client({ connectionString: url });
  await client.connect();
  await client.query("begin; lock table ccproxy.exchanges");
  const call = expect(slow.ledger.write(exchangeWrites("e"))).rejects.toThrow(/terminat/);
  const waiting = "select pid from pg_stat_activity where wait_event_type = 'Lock' and application_name = 'ccproxy'";
  await vi.waitFor(async () => expect(await runSql(url, waiting)).toHaveLength(1), { timeout: 10_000 });
  await runSql(url, `select pg_terminate_backend(pid) from (${waiting}) w`);
  await call;
  await client.end();
  await slow.ledger.write(exchangeWrites("e"));
  expect(await slow.ledger.exchanges({}, 10)).toHaveLength(1);
  await engine.ping();
});

test("a connection that ends between two statements of a transaction fails the transaction, and nothing else", async () => {
  const url = await engines.server.createDatabase();
  const database = createDatabase(url, "ccproxy", 2);
  const transaction = database.transaction(async (connection) => {
    const [own] = await connection.query("select pg_backend_pid() as pid");
    await runSql(url, "select pg_terminate_backend($1)", [own?.["pid"]]);
    const others = async (): Promise<unknown> => runSql(url, "select 1 from pg_stat_activity where pid = $1", [own?.["pid"]]);
    await vi.waitFor(async () => expect(await others()).toEqual([]));
    await connection.query("select 1");
  });
  await expect(transaction).rejects.toMatchObject({ name: "PostgresError", isConnectionLoss: true });
  expect(await database.query("select 1 as one")).toEqual([{ one: 1 }]);
  await database.close();
});

test("a statement that nobody answers is given up with its connection, and the next one gets another", async () => {
  const database = createDatabase(await engines.server.createDatabase(), "ccproxy", 1);
  await expect(database.query("select pg_sleep(600)", [], 50)).rejects.toThrow(/cannot be reached: .*timeout/);
  expect(await database.query("select 1 as one")).toEqual([{ one: 1 }]);
  await database.close();
});

test("an engine closes what it was asked before, and only once", async () => {
  const url = await engines.server.createDatabase();
  const engine = await openPostgres({ url });
  const write = engine.ledger.write(exchangeWrites("e"));
  await Promise.all([engine.close(), engine.close(), engine.ledger.close(), engine.keys.close(), engine.limits.close()]);
  await write;
  await expect(engine.ping()).rejects.toThrow(/PostgreSQL/);
  expect(await runSql(url, "select id from ccproxy.exchanges")).toEqual([{ id: "e" }]);
});

describe("no error holds the password", () => {
  const password = "s3cret";
  const url = (rest: string): string => `postgres://postgres:${rest}`;

  test.each([
    ["a host that is not there", () => url(`${password}@127.0.0.1:1/postgres`)],
    ["a wrong password", () => url(`${password}@127.0.0.1:${engines.server.port}/postgres`)],
    ["a name of a database that repeats it", () => url(`${password}@127.0.0.1:1/${password}`)],
    ["a host that repeats it", () => url(`${password}@${password}.invalid/postgres`)],
    ["a password with a slash in it", () => url(`12/${password}@127.0.0.1/postgres`)],
    ["a password with a hash in it", () => url(`12#${password}@127.0.0.1/postgres`)],
    ["a password with a question mark in it", () => url(`12?${password}@127.0.0.1/postgres`)],
    ["a password that would be a port", () => url(`a:${password}:b/@127.0.0.1/postgres`)],
    ["a broken escape", () => url(`${password}%zz@127.0.0.1:1/postgres`)],
    ["a password among the parameters", () => `postgres://127.0.0.1:1/postgres?user=postgres&password=${password}`],
    ["another protocol", () => `mysql://root:${password}@127.0.0.1/db`],
    ["no url at all", () => `host=localhost password=${password}`],
  ])("of %s", async (_, toUrl) => {
    const error: unknown = await openPostgres({ url: toUrl() }).catch((caught: unknown) => caught);
    expect(error).toMatchObject({ name: "PostgresError" });
    expect(inspect(error, { depth: null, showHidden: true }).replaceAll(/\n\s+at .*/g, "")).not.toContain(password);
  });

  test("of a right one, when the database is not there", async () => {
    const { server } = engines;
    const error: unknown = await openPostgres({ url: server.url.replace(/postgres$/, "nowhere") }).catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code: "3D000" });
    const told = inspect(error, { depth: null, showHidden: true });
    expect(told).toContain('"nowhere" does not exist');
    expect(told).not.toContain(server.password);
    expect(told).not.toContain(encodeURIComponent(server.password));
  });

  test("of a server that ends the connection at once", async () => {
    const server = createServer((socket) => socket.destroy()).listen(0, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    const port = typeof address === "object" ? address?.port : 0;
    const error: unknown = await openPostgres({ url: url(`${password}@127.0.0.1:${port}/db`) }).catch((caught: unknown) => caught);
    expect(error).toMatchObject({ message: expect.stringContaining("cannot be reached") });
    expect(inspect(error, { depth: null, showHidden: true })).not.toContain(password);
    server.close();
  });
});
