/** The tables behind `context.kv`: values and lists of lines per file of user code, with limits. Every call blocks. */

import type { DatabaseSync, StatementSync } from "node:sqlite";

import type { Json } from "../../sdk/body.ts";
import type { KvWrite } from "../sandbox/protocol.ts";
import { CapabilityError } from "./capability-error.ts";

export interface KvLimits {
  /** Characters, as the code inside the isolates counts. */
  readonly keyLength: number;
  /** Of a value, and of a line: characters of JSON. */
  readonly valueLength: number;
  /** Per file. */
  readonly keys: number;
  /** Per file. */
  readonly fileBytes: number;
  /** Kept per key; older ones go. */
  readonly lines: number;
  /** Of what one `lines` reads. */
  readonly readBytes: number;
}

export const kvLimits: KvLimits = {
  keyLength: 512,
  valueLength: 256 * 1024,
  keys: 10_000,
  fileBytes: 64 * 1024 * 1024,
  lines: 10_000,
  readBytes: 4 * 1024 * 1024,
};

const schemaVersion = 1;
/** How long the mark of a committed outcome is kept; it is repeated within seconds or never. */
const appliedMs = 3_600_000;
const pruneEvery = 1_000;

const schema = `
  CREATE TABLE entry (file TEXT NOT NULL, key TEXT NOT NULL, value TEXT, bytes INTEGER NOT NULL, PRIMARY KEY (file, key)) STRICT;
  CREATE TABLE line (file TEXT NOT NULL, key TEXT NOT NULL, number INTEGER NOT NULL, line TEXT NOT NULL, bytes INTEGER NOT NULL,
    PRIMARY KEY (file, key, number)) STRICT;
  CREATE TABLE usage (file TEXT PRIMARY KEY, keys INTEGER NOT NULL, bytes INTEGER NOT NULL) STRICT;
  CREATE TABLE applied (outcome TEXT PRIMARY KEY, at INTEGER NOT NULL) STRICT;
  CREATE INDEX applied_at ON applied (at);
  PRAGMA user_version = ${schemaVersion};
`;

interface Usage {
  keys: number;
  bytes: number;
}

export class KvDatabase {
  readonly #database: DatabaseSync;
  readonly #limits: KvLimits;
  readonly #now: () => number;
  readonly #statements = new Map<string, StatementSync>();
  #commits = 0;

  /**
   * @param now ms since 1970
   * @throws Error when the file is no database, or one of a newer version
   */
  constructor(database: DatabaseSync, now: () => number, limits: KvLimits = kvLimits) {
    this.#database = database;
    this.#limits = limits;
    this.#now = now;
    // First: the ones below may have to wait for another process.
    database.exec("PRAGMA busy_timeout = 5000");
    database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA journal_size_limit = 16777216");
    this.#transaction(() => {
      const version = numberOf(this.#statement("PRAGMA user_version").get(), "user_version");
      if (version === 0) database.exec(schema);
      else if (version !== schemaVersion) throw new Error(`has the format ${version}; this version of ccproxy knows ${schemaVersion}`);
    });
    this.#prune();
  }

  /** `[value]`, or `[]` where there is none. */
  get(file: string, key: string): Json {
    const row = this.#statement("SELECT value FROM entry WHERE file = ? AND key = ? AND value IS NOT NULL").get(file, JSON.stringify(key));
    return row === undefined ? [] : [parse(row["value"])];
  }

  /** The last lines, oldest first. @throws CapabilityError when they are too much for one answer */
  lines(file: string, key: string, last: number): Json {
    const found: Json[] = [];
    let bytes = 0;
    const rows = this.#statement("SELECT line, bytes FROM line WHERE file = ? AND key = ? ORDER BY number DESC LIMIT ?");
    for (const row of rows.iterate(file, JSON.stringify(key), last)) {
      bytes += numberOf(row, "bytes");
      if (bytes > this.#limits.readBytes) {
        throw new CapabilityError(`kv.lines: the last ${last} lines are more than ${this.#limits.readBytes} bytes; ask for fewer`);
      }
      found.push(parse(row["line"]));
    }
    return found.toReversed();
  }

  /**
   * Takes all of the writes or none, once per outcome.
   * @throws CapabilityError when a limit is reached
   */
  commit(file: string, writes: readonly KvWrite[], outcome: string): void {
    this.#transaction(() => {
      const isNew = this.#statement("INSERT OR IGNORE INTO applied (outcome, at) VALUES (?, ?)").run(outcome, this.#now()).changes > 0;
      if (!isNew) return;
      const found = this.#statement("SELECT keys, bytes FROM usage WHERE file = ?").get(file);
      const usage: Usage = found === undefined ? { keys: 0, bytes: 0 } : { keys: numberOf(found, "keys"), bytes: numberOf(found, "bytes") };
      for (const write of writes) this.#apply(file, write, usage);
      const { keys, fileBytes } = this.#limits;
      if (usage.keys > keys) throw new CapabilityError(`kv: ${file} would have ${usage.keys} keys; at most ${keys}. Nothing was written`);
      if (usage.bytes > fileBytes)
        throw new CapabilityError(`kv: ${file} would have ${usage.bytes} bytes; at most ${fileBytes}. Nothing was written`);
      this.#statement("INSERT OR REPLACE INTO usage (file, keys, bytes) VALUES (?, ?, ?)").run(file, usage.keys, usage.bytes);
    });
    if (++this.#commits % pruneEvery === 0) this.#prune();
  }

  close(): void {
    this.#database.close();
  }

  #apply(file: string, write: KvWrite, usage: Usage): void {
    const key = JSON.stringify(write.key);
    const { length } = write.key;
    if (length > this.#limits.keyLength)
      throw new CapabilityError(`kv: a key of ${length} characters; at most ${this.#limits.keyLength}. Nothing was written`);
    switch (write.op) {
      case "set":
        return this.#set(file, key, this.#text(write.value), usage);
      case "delete":
        return this.#delete(file, key, usage);
      case "append":
        return this.#append(file, key, this.#text(write.line), usage);
    }
  }

  #text(value: Json): string {
    const text = JSON.stringify(value);
    const { length } = text;
    if (length > this.#limits.valueLength)
      throw new CapabilityError(`kv: a value of ${length} characters; at most ${this.#limits.valueLength}. Nothing was written`);
    return text;
  }

  #set(file: string, key: string, text: string, usage: Usage): void {
    const bytes = Buffer.byteLength(key, "utf8") + Buffer.byteLength(text, "utf8");
    this.#addEntry(file, key, usage);
    usage.bytes += bytes - this.#entryBytes(file, key);
    this.#statement("UPDATE entry SET value = ?, bytes = ? WHERE file = ? AND key = ?").run(text, bytes, file, key);
  }

  #append(file: string, key: string, text: string, usage: Usage): void {
    const bytes = Buffer.byteLength(text, "utf8");
    this.#addEntry(file, key, usage);
    const last = this.#statement("SELECT coalesce(max(number), 0) AS number FROM line WHERE file = ? AND key = ?").get(file, key);
    const number = numberOf(last, "number") + 1;
    this.#statement("INSERT INTO line (file, key, number, line, bytes) VALUES (?, ?, ?, ?, ?)").run(file, key, number, text, bytes);
    usage.bytes += bytes - this.#deleteLines(file, key, number - this.#limits.lines);
  }

  /** A key stands for its value and its lines; both go. */
  #delete(file: string, key: string, usage: Usage): void {
    usage.bytes -= this.#entryBytes(file, key) + this.#deleteLines(file, key, Number.MAX_SAFE_INTEGER);
    usage.keys -= Number(this.#statement("DELETE FROM entry WHERE file = ? AND key = ?").run(file, key).changes);
  }

  #addEntry(file: string, key: string, usage: Usage): void {
    const bytes = Buffer.byteLength(key, "utf8");
    const added = this.#statement("INSERT OR IGNORE INTO entry (file, key, value, bytes) VALUES (?, ?, NULL, ?)").run(
      file,
      key,
      bytes,
    ).changes;
    if (added === 0) return;
    usage.keys += 1;
    usage.bytes += bytes;
  }

  #entryBytes(file: string, key: string): number {
    const row = this.#statement("SELECT bytes FROM entry WHERE file = ? AND key = ?").get(file, key);
    return row === undefined ? 0 : numberOf(row, "bytes");
  }

  /** @returns how many bytes went */
  #deleteLines(file: string, key: string, upTo: number): number {
    if (upTo < 1) return 0;
    const sum = this.#statement("SELECT coalesce(sum(bytes), 0) AS bytes FROM line WHERE file = ? AND key = ? AND number <= ?").get(
      file,
      key,
      upTo,
    );
    this.#statement("DELETE FROM line WHERE file = ? AND key = ? AND number <= ?").run(file, key, upTo);
    return numberOf(sum, "bytes");
  }

  #prune(): void {
    this.#statement("DELETE FROM applied WHERE at < ?").run(this.#now() - appliedMs);
  }

  #statement(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (statement === undefined) this.#statements.set(sql, (statement = this.#database.prepare(sql)));
    return statement;
  }

  /** From the beginning on as a writer: one that only later wants to write may find that it cannot. */
  #transaction(work: () => void): void {
    this.#database.exec("BEGIN IMMEDIATE");
    try {
      work();
      this.#database.exec("COMMIT");
    } catch (error) {
      if (this.#database.isTransaction) this.#database.exec("ROLLBACK");
      throw error;
    }
  }
}

function numberOf(row: Record<string, unknown> | undefined, column: string): number {
  return Number(row?.[column]);
}

function parse(text: unknown): Json {
  return JSON.parse(String(text));
}
