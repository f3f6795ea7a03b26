/** Brings the tables of a database up to date: each step once, whole or not at all, whoever else begins at the same moment. */

import { type Connection, type Database, longMs } from "./database.ts";
import { PostgresError } from "./errors.ts";
import { keyTables } from "./key-tables.ts";
import { ledgerTables } from "./ledger-tables.ts";
import { limitTables } from "./limit-tables.ts";
import { presenceTables } from "./presence.ts";

/** SQL that uses `$schema$` for the schema. What has been released is never changed: another step is appended. */
export const migrations: readonly string[] = [ledgerTables, keyTables, limitTables, presenceTables];

const oldestServer = 150_000;
/** Of this file, among all who take advisory locks in the database. */
const lockClass = 1_128_485_968;

/** @throws PostgresError when the server is too old or the tables are newer than this program */
export async function migrate(database: Database): Promise<void> {
  await checkServer(database);
  // A transaction for each, so that a kill in between leaves whole steps.
  while (await database.transaction(async (connection) => migrateOnce(connection, database.schema)));
}

/** @returns whether there was something to do */
async function migrateOnce(connection: Connection, schema: string): Promise<boolean> {
  await connection.query("select pg_advisory_xact_lock($1, hashtext($2))", [lockClass, schema], longMs);
  const version = await readVersion(connection, schema);
  if (version > migrations.length)
    throw new PostgresError(
      `the tables in schema ${schema} are of version ${version}, and this program knows ${migrations.length}: a newer ccproxy has been here; update this one`,
    );
  const next = migrations[version];
  if (next === undefined) return false;
  await connection.query(next.replaceAll("$schema$", schema), [], longMs);
  await connection.query(`insert into ${schema}.migrations (version) values ($1)`, [version + 1]);
  return true;
}

async function readVersion(connection: Connection, schema: string): Promise<number> {
  const [found] = await connection.query("select to_regclass($1) is not null as is_there", [`${schema}.migrations`]);
  if (found?.["is_there"] !== true) {
    // Not `if not exists`: that asks for the right to create schemas even where somebody else has created it.
    const [space] = await connection.query("select to_regnamespace($1) is not null as is_there", [schema]);
    if (space?.["is_there"] !== true) await connection.query(`create schema ${schema}`);
    await connection.query(`create table ${schema}.migrations (version int primary key, applied_at timestamptz not null default now())`);
  }
  const [row] = await connection.query(`select coalesce(max(version), 0) as version from ${schema}.migrations`);
  return Number(row?.["version"]);
}

async function checkServer(database: Database): Promise<void> {
  const [row] = await database.query(
    "select current_setting('server_version_num')::int as number, current_setting('server_version') as version, current_setting('server_encoding') as encoding",
  );
  if (Number(row?.["number"]) < oldestServer)
    throw new PostgresError(`PostgreSQL 15 or later is wanted, and the server is ${String(row?.["version"])}`);
  if (row?.["encoding"] !== "UTF8")
    throw new PostgresError(
      `the encoding of the database is ${String(row?.["encoding"])}, and has to be UTF8: create database … encoding 'UTF8'`,
    );
}
