/** What goes wrong with a database file, told with the file, the reason and the way out. */

import { DamagedValue } from "./values.ts";

/** `damaged`: the file; `busy`: others use it; `refused`: it is not ours to use; `full`, `readonly`, `failed`: the disk, or something else. */
export type SqliteProblem = "damaged" | "busy" | "refused" | "full" | "readonly" | "failed";

/** Holds no rows, no values and no cause that could. */
export class SqliteError extends Error {
  override readonly name = "SqliteError";
  readonly problem: SqliteProblem;

  constructor(problem: SqliteProblem, message: string) {
    super(message);
    this.problem = problem;
  }
}

/** Primary result codes, https://sqlite.org/rescode.html */
const problems: Readonly<Record<number, SqliteProblem>> = {
  5: "busy",
  6: "busy",
  8: "readonly",
  11: "damaged",
  13: "full",
  14: "readonly",
  26: "damaged",
};
/** A file that ends in the middle of a page. */
const shortRead = 522;

/** What SQLite and Node threw, for people; whatever else was thrown stays what it is. */
export function explain(path: string, error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof SqliteError) return error;
  if (error instanceof DamagedValue) return damaged(path, error.message);
  const { code, errcode } = error as { readonly code?: unknown; readonly errcode?: unknown };
  // What Node says of a number that it would have to round.
  if (code === "ERR_OUT_OF_RANGE" || error.message === "integer overflow")
    return new RangeError(`${path}: a number or a sum is too large to be exact`);
  if (code !== "ERR_SQLITE_ERROR" || typeof errcode !== "number") return error;
  const problem = errcode === shortRead ? "damaged" : (problems[errcode % 256] ?? "failed");
  return problem === "damaged" ? damaged(path, error.message) : new SqliteError(problem, `${path}: ${error.message}; ${advice[problem]}`);
}

export function damaged(path: string, reason: string): SqliteError {
  return new SqliteError(
    "damaged",
    `${path} is damaged, or no database (${reason}). Nothing of it was deleted. Stop every ccproxy and copy the file with its -wal and -shm; ` +
      `then restore a backup, or save what can be read with \`sqlite3 ${path} .recover\`, or move all three away to begin anew`,
  );
}

const advice: Readonly<Record<Exclude<SqliteProblem, "damaged">, string>> = {
  busy: "another process has held it for too long: see which one writes, and try again",
  refused: "name another file",
  full: "the disk is full, or a quota is reached: make room",
  readonly: "see that the file, its -wal and -shm and their folder belong to this user and can be written",
  failed: "nothing was written",
};
