/** A thread of `context.kv` that commits, and dies before it could say so; the one that follows it lives. */

import { existsSync, writeFileSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { parentPort, workerData } from "node:worker_threads";

import { KvDatabase } from "../../../core/capabilities/kv-database.ts";

const { path } = workerData as { path: string };
const mark = `${path}.died`;

if (existsSync(mark)) await import("../../../core/capabilities/kv-worker.ts");
else {
  writeFileSync(mark, "");
  parentPort?.on("message", ({ file, writes, outcome }) => {
    new KvDatabase(new DatabaseSync(path), Date.now).commit(file, writes, outcome);
    process.exit(1);
  });
}
