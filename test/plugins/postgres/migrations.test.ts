import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

import { Client } from "pg";
import { expect, test, vi } from "vitest";

import { migrations } from "../../../plugins/postgres/migrations.ts";
import { runSql } from "../../servers/postgres.ts";
import { useEngines } from "./engines.ts";
import { exchangeWrites } from "./ledger-writes.ts";

const engines = useEngines();
const opener = fileURLToPath(new URL("open-engine.ts", import.meta.url));
const versions = migrations.map((_, index) => ({ version: index + 1 }));

test("many that begin at once make the tables once, and all of them work", async () => {
  const url = await engines.server.createDatabase();
  const opened = await Promise.all(Array.from({ length: 8 }, async () => engines.open({ url, poolSize: 2 })));
  await Promise.all(opened.map(async (engine, index) => engine.ledger.write(exchangeWrites(`e${index}`))));
  expect(await opened[0]?.ledger.exchanges({}, 10)).toHaveLength(8);
  expect(await runSql(url, "select version from ccproxy.migrations order by version")).toEqual(versions);
});

test("one that is killed in the middle leaves whole steps, and the next one goes on from there", async () => {
  const url = await engines.server.createDatabase();
  // Holds up whoever creates the table of the second step, until it is let go.
  await runSql(
    url,
    `create function public.hold() returns event_trigger language plpgsql as $$ begin
       if exists (select from pg_event_trigger_ddl_commands() where object_identity = 'ccproxy.records') then
         perform pg_advisory_lock_shared(99);
       end if;
     end $$;
     create event trigger hold on ddl_command_end when tag in ('CREATE TABLE') execute function public.hold();`,
  );
  const holder = await holdLock(url);
  const child = spawn(process.execPath, [opener, url], { stdio: "ignore" });
  const exit = once(child, "exit");
  await vi.waitFor(
    async () => expect(await runSql(url, "select 1 from pg_locks where locktype = 'advisory' and not granted")).toHaveLength(1),
    { timeout: 15_000 },
  );
  child.kill("SIGKILL");
  await exit;
  expect(await runSql(url, "select version from ccproxy.migrations")).toEqual([{ version: 1 }]);
  await holder.letGo();
  await runSql(url, "drop event trigger hold");
  const engine = await engines.open({ url });
  await engine.keys.create("budget", { id: "b", createdAt: 1, updatedAt: 1 });
  expect(await runSql(url, "select version from ccproxy.migrations order by version")).toEqual(versions);
});

test("tables of a newer program are left alone, and it says so", async () => {
  const url = await engines.server.createDatabase();
  await engines.open({ url });
  await runSql(url, "insert into ccproxy.migrations (version) values (1000)");
  await expect(engines.open({ url })).rejects.toThrow(/version 1000, and this program knows \d+: a newer ccproxy/);
});

test("all tables are in the schema that is asked for, and two of them share nothing", async () => {
  const url = await engines.server.createDatabase();
  const [one, two] = [await engines.open({ url, schema: "one" }), await engines.open({ url, schema: "user" })];
  await one.ledger.write(exchangeWrites("e"));
  await one.limits.reserve("r", [{ kind: "slot", key: "k", limit: 1 }], 1000);
  expect(await two.ledger.exchanges({}, 10)).toEqual([]);
  expect(await two.limits.reserve("r", [{ kind: "slot", key: "k", limit: 1 }], 1000)).toMatchObject({ isGranted: true });
  const sql =
    "select distinct table_schema as name from information_schema.tables where table_schema !~ '^(pg_|information)' order by name";
  expect(await runSql(url, sql)).toEqual([{ name: "one" }, { name: "user" }]);
  await expect(engines.open({ url, schema: 'x"; drop schema one; --' })).rejects.toThrow(/cannot be the name of a schema/);
});

test("a user without the right to create schemas can use one that is there", async () => {
  const url = await engines.server.createDatabase();
  await runSql(
    url,
    "create role modest login password 'pw'; create schema ccproxy authorization modest; revoke create on schema public from public",
  );
  const modest = new URL(url);
  modest.username = "modest";
  modest.password = "pw";
  const engine = await engines.open({ url: modest.href });
  await engine.ledger.write(exchangeWrites("e"));
  expect(await engine.ledger.exchanges({}, 10)).toHaveLength(1);
});

test("a database that cannot hold any text is refused", async () => {
  await runSql(engines.server.url, "create database old encoding 'SQL_ASCII' template template0");
  const url = new URL(engines.server.url);
  url.pathname = "/old";
  await expect(engines.open({ url: url.href })).rejects.toThrow(/SQL_ASCII, and has to be UTF8/);
});

async function holdLock(url: string): Promise<{ letGo(): Promise<void> }> {
  const client = new Client({ connectionString: url });
  await client.connect();
  await client.query("select pg_advisory_lock(99)");
  return { letGo: async () => client.end() };
}
