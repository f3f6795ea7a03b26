/** Runs in a thread of its own: opens the database of `context.kv`, and answers one call after the other. */

import { DatabaseSync } from "node:sqlite";
import { parentPort, workerData } from "node:worker_threads";

import type { Json } from "../../sdk/body.ts";
import { CapabilityError } from "./capability-error.ts";
import { KvDatabase } from "./kv-database.ts";
import type { KvCall, KvReply, KvRequest } from "./kv.ts";

let database: KvDatabase | undefined;

function answer({ id, ...call }: Exclude<KvRequest, { op: "close" }>): KvReply {
  try {
    // Not at the start: what is wrong with the file is then said to whoever wanted something of it.
    database ??= new KvDatabase(new DatabaseSync(pathOf(workerData)), Date.now);
    return { id, type: "done", value: perform(database, call) };
  } catch (error) {
    if (error instanceof CapabilityError) return { id, type: "refused", message: error.message };
    return { id, type: "failed", message: error instanceof Error ? error.message : String(error) };
  }
}

function perform(database: KvDatabase, call: KvCall): Json {
  if (call.op === "get") return database.get(call.file, call.key);
  if (call.op === "lines") return database.lines(call.file, call.key, call.last);
  database.commit(call.file, call.writes, call.outcome);
  return null;
}

function pathOf(data: unknown): string {
  if (typeof data === "object" && data !== null && "path" in data && typeof data.path === "string") return data.path;
  throw new Error("the thread was started without a path");
}

parentPort?.on("message", (request: KvRequest) => {
  if (request.op !== "close") {
    parentPort?.postMessage(answer(request), []);
    return;
  }
  database?.close();
  parentPort?.close();
});
