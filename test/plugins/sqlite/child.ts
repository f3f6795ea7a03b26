/** A process that uses a file, until somebody kills it. Says on a line each what has happened. `node child.ts <what> <file> <name>` */

import { writeSync } from "node:fs";

import { Database } from "../../../plugins/sqlite/database.ts";
import { preparePrivateFile } from "../../../plugins/sqlite/file.ts";
import { openSqlite } from "../../../plugins/sqlite/index.ts";
import { migrate } from "../../../plugins/sqlite/migrations.ts";
import { tables } from "../../../plugins/sqlite/tables.ts";
import { writesOf } from "../../contracts/outbox.ts";
import { batch } from "./rows.ts";

const [what = "", path = "", name = ""] = process.argv.slice(2);
const endless =
  "CREATE TABLE half (n); INSERT INTO half WITH RECURSIVE c (n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM c) SELECT n FROM c";

function say(line: string): void {
  writeSync(1, `${line}\n`);
}

/** Writes as fast as it can, and says what has returned. */
async function write(): Promise<void> {
  const { ledger, keys, limits } = openSqlite({ path, wallClock: Date.now });
  const owned = { models: [], metadata: {}, tags: [], isBlocked: false, createdAt: 1, updatedAt: 1 };
  for (let each = 0; ; each++) {
    const id = `${name}-${each}`;
    await ledger.write(batch(id));
    say(`ledger ${id}`);
    if (each % 10 === 0) {
      await keys.create("user", { ...owned, id });
      say(`user ${id}`);
    }
    await limits.reserve(id, [{ kind: "budget", key: name, amount: 7, limit: 1e15, period: "p", endsInMs: undefined, spent: 0 }], 60_000);
    say(`limit ${id}`);
  }
}

/** Appends to the outbox as fast as it can, and says what has returned. */
async function post(): Promise<void> {
  const { outbox } = openSqlite({ path, wallClock: Date.now });
  for (let each = 0; ; each++) {
    const id = `${name}-${each}`;
    await outbox.append(writesOf(id));
    say(`appended ${id}`);
  }
}

/** Opens a file at the same moment as others, and writes into it. */
async function open(): Promise<void> {
  say("ready");
  await new Promise((resolve) => process.stdin.once("data", resolve));
  const engine = openSqlite({ path, wallClock: Date.now });
  await engine.ledger.write(batch(name));
  await engine.close();
  say("done");
  process.stdin.destroy();
}

/** Never comes to the end of a step. */
function migrateForEver(steps: readonly string[]): void {
  preparePrivateFile(path);
  migrate(new Database(path, { durability: "normal", busyMs: 5000 }), steps);
}

if (what === "write") await write();
else if (what === "post") await post();
else if (what === "open") await open();
else if (what === "first-step") migrateForEver([`${tables}; ${endless}`]);
else if (what === "next-step") migrateForEver([tables, endless]);
