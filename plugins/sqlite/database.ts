/** One connection to the file, and what every statement has in common. Every call blocks. */

import { DatabaseSync, type SQLInputValue, type SQLOutputValue, type StatementSync } from "node:sqlite";

import { SqliteError, explain } from "./errors.ts";

export type Row = Readonly<Record<string, SQLOutputValue>>;
export type Value = SQLInputValue;

/** `full`: what was committed outlasts a power cut; `normal`: the end of the process. */
export type Durability = "full" | "normal";

export interface DatabaseOptions {
  readonly durability: Durability;
  /** Waited for others that write. */
  readonly busyMs: number;
}

const retryMs = 5;
const maxLogBytes = 16 * 1024 * 1024;

export class Database {
  readonly path: string;
  readonly #connection: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();

  /** @param path absolute, of a file that is there @throws SqliteError */
  constructor(path: string, { durability, busyMs }: DatabaseOptions) {
    this.path = path;
    this.#connection = this.#explained(() => new DatabaseSync(path, { timeout: busyMs, enableForeignKeyConstraints: false }));
    try {
      this.#explained(() => this.#configure(durability, busyMs));
    } catch (error) {
      this.#connection.close();
      throw error;
    }
  }

  /** The first row. */
  get(sql: string, ...values: readonly Value[]): Row | undefined {
    return this.#statement(sql).get(...values);
  }

  all(sql: string, ...values: readonly Value[]): readonly Row[] {
    return this.#statement(sql).all(...values);
  }

  /** @returns how many rows were changed */
  run(sql: string, ...values: readonly Value[]): number {
    return Number(this.#statement(sql).run(...values).changes);
  }

  /** For SQL that depends on what is asked: not kept. */
  allOnce(sql: string, ...values: readonly Value[]): readonly Row[] {
    return this.#connection.prepare(sql).all(...values);
  }

  /** Of several statements. Takes no values. */
  exec(sql: string): void {
    this.#connection.exec(sql);
  }

  /**
   * All that `work` does or nothing; nobody else writes meanwhile. A writer from the beginning on: one that only later wants to write may find that
   * what it has read is over.
   *
   * @throws SqliteError @throws what `work` throws
   */
  transaction<Result>(work: () => Result): Result {
    return this.#explained(() => this.#within("BEGIN IMMEDIATE", work));
  }

  /** All that `work` reads is of one moment. @throws as `transaction` */
  snapshot<Result>(work: () => Result): Result {
    return this.#explained(() => this.#within("BEGIN", work));
  }

  /** One statement that reads. @throws as `transaction` */
  read<Result>(work: () => Result): Result {
    return this.#explained(work);
  }

  /** May be called again. */
  close(): void {
    if (!this.#connection.isOpen) return;
    this.#statements.clear();
    this.#connection.close();
  }

  #configure(durability: Durability, busyMs: number): void {
    // Two that change the mode at once, or come while another one puts things right after a kill, are refused without waiting.
    const mode = retryWhileBusy(() => this.#connection.prepare("PRAGMA journal_mode = WAL").get()?.["journal_mode"], busyMs);
    if (mode !== "wal")
      throw new SqliteError(
        "refused",
        `${this.path}: its file system has no shared memory, as those of networks: name a file on a local disk`,
      );
    this.#connection.exec(
      `PRAGMA synchronous = ${durability}; PRAGMA journal_size_limit = ${maxLogBytes}; PRAGMA cell_size_check = ON; PRAGMA trusted_schema = OFF`,
    );
  }

  #within<Result>(begin: string, work: () => Result): Result {
    this.#statement(begin).run();
    try {
      const result = work();
      this.#statement("COMMIT").run();
      return result;
    } catch (error) {
      this.#rollBack();
      throw error;
    }
  }

  /** What went wrong first is what is told. */
  #rollBack(): void {
    try {
      if (this.#connection.isTransaction) this.#statement("ROLLBACK").run();
    } catch {
      // Nothing more can be done, and nothing was committed.
    }
  }

  #statement(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (statement === undefined) this.#statements.set(sql, (statement = this.#connection.prepare(sql)));
    return statement;
  }

  #explained<Result>(work: () => Result): Result {
    try {
      return work();
    } catch (error) {
      throw explain(this.path, error);
    }
  }
}

function retryWhileBusy<Result>(work: () => Result, busyMs: number): Result {
  const sleeper = new Int32Array(new SharedArrayBuffer(4));
  for (let waited = 0; ; waited += retryMs) {
    try {
      return work();
    } catch (error) {
      const { errcode } = error as { readonly errcode?: number };
      if (errcode === undefined || errcode % 256 !== 5 || waited >= busyMs) throw error;
      Atomics.wait(sleeper, 0, 0, retryMs);
    }
  }
}
