/** Brings the tables of a file up to date: each step once, whole or not at all, whoever else begins at the same moment. */

import type { Database } from "./database.ts";
import { SqliteError, damaged } from "./errors.ts";
import { tables } from "./tables.ts";

/** What has been released is never changed: another step is appended. */
const migrations: readonly string[] = [tables];

/** "ccpx": says whose the file is. */
const applicationId = 0x63637078;
/** Read whole when it is opened; of a larger file that would take too long, and only what is read is checked. */
const maxCheckedPages = 16_384;

/**
 * @param steps SQL, without transactions
 * @throws SqliteError when the file is damaged, of something else or of a newer program
 */
export function migrate(database: Database, steps: readonly string[] = migrations): void {
  // Without a lock where nothing is to be done, as mostly; yet of one moment, for another process may be at it.
  if (database.snapshot(() => checkVersion(database, steps.length)) < steps.length) {
    // A transaction for each, so that a kill in between leaves whole steps.
    while (database.transaction(() => migrateOnce(database, steps)));
  }
  database.read(() => checkPages(database));
}

/** @returns whether there was something to do */
function migrateOnce(database: Database, steps: readonly string[]): boolean {
  const version = checkVersion(database, steps.length);
  const next = steps[version];
  if (next === undefined) return false;
  database.exec(`${next}; PRAGMA application_id = ${applicationId}; PRAGMA user_version = ${version + 1}`);
  return true;
}

/** @returns how many steps have been done */
function checkVersion(database: Database, known: number): number {
  const version = Number(database.get("PRAGMA user_version")?.["user_version"]);
  const owner = Number(database.get("PRAGMA application_id")?.["application_id"]);
  const isEmpty = database.get("SELECT 1 FROM sqlite_schema LIMIT 1") === undefined;
  if (isEmpty ? version !== 0 : owner !== applicationId || version <= 0)
    throw new SqliteError("refused", `${database.path} is a database of another program, or its header is damaged: name another file`);
  if (version > known)
    throw new SqliteError(
      "refused",
      `${database.path} is of version ${version}, and this program knows ${known}: a newer ccproxy has been here; update this one`,
    );
  return version;
}

function checkPages(database: Database): void {
  if (Number(database.get("PRAGMA page_count")?.["page_count"]) > maxCheckedPages) return;
  const verdict = String(database.get("PRAGMA quick_check(1)")?.["quick_check"]);
  if (verdict !== "ok") throw damaged(database.path, verdict);
}
