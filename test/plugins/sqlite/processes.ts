/** Child processes that say lines, and are killed; and what a file is like afterwards. */

import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { DatabaseSync } from "node:sqlite";
import { fileURLToPath } from "node:url";

import { type SqliteEngine, openSqlite } from "../../../plugins/sqlite/index.ts";
import { attemptsPerBatch, cost } from "./rows.ts";

export type Child = ChildProcessByStdio<Writable, Readable, null>;

const started = new Set<Child>();

/** Whatever became of the test. */
export function killChildren(): void {
  for (const child of started) child.kill("SIGKILL");
  started.clear();
}

export function startChild(what: string, path: string, name = ""): Child {
  const file = fileURLToPath(new URL("child.ts", import.meta.url));
  const child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", file, what, path, name], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  started.add(child);
  return child;
}

/** @returns all lines until it has ended; `onLine` gets each */
export async function linesOf(child: Child, onLine: (line: string, count: number) => void = () => undefined): Promise<readonly string[]> {
  const lines: string[] = [];
  const reader = createInterface({ input: child.stdout });
  reader.on("line", (line) => {
    lines.push(line);
    onLine(line, lines.length);
  });
  await Promise.all([once(reader, "close"), child.exitCode === null && child.signalCode === null ? once(child, "exit") : undefined]);
  return lines;
}

export function integrityOf(path: string): unknown {
  const database = new DatabaseSync(path, { readOnly: true });
  try {
    return database.prepare("PRAGMA integrity_check").get()?.["integrity_check"];
  } finally {
    database.close();
  }
}

export function openAt(path: string): SqliteEngine {
  return openSqlite({ path, wallClock: Date.now });
}

/** Each exchange has all of its attempts, and the sum is that of the exchanges. @returns their ids */
export async function wholeExchanges(engine: SqliteEngine): Promise<readonly string[]> {
  const exchanges = await engine.ledger.exchanges({}, 1e9);
  for (const { id, end } of exchanges) {
    if ((await engine.ledger.attempts(id)).length !== attemptsPerBatch || end?.cost !== cost) throw new Error(`${id} is not whole`);
  }
  const [total] = await engine.ledger.totals([], {});
  if ((total?.cost ?? 0) !== exchanges.length * cost) throw new Error("the sum is wrong");
  return exchanges.map(({ id }) => id);
}
