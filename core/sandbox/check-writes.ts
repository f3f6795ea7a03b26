/** Reads the side effects that a host says a unit wants: their shapes and sizes. */

import { isRecord } from "./check-manifest.ts";
import type { Writes } from "./protocol.ts";

/** Thrown inside the checks of outcomes: where, and what was found there. */
export class InvalidOutcome extends Error {
  override readonly name = "InvalidOutcome";

  constructor(path: string, found: string) {
    super(`${path} ${found}`);
  }
}

/** Writes to stores name what they delete, too; how much a store holds is seen when they are committed. */
const maxStateBytes = 128 * 1024;
const maxLogBytes = 64 * 1024;
const maxAnnotationBytes = 4 * 1024;
const maxKvBytes = 1024 * 1024;
const maxKvWrites = 100;
const maxKeyLength = 512;
const levels: ReadonlySet<unknown> = new Set(["debug", "info", "warn", "error"]);

/** @throws InvalidOutcome */
export function checkWrites(value: unknown): asserts value is Writes {
  if (!isRecord(value)) throw new InvalidOutcome("writes", "is no object");
  if (value["state"] !== undefined) checkMap(value["state"], "writes.state", maxStateBytes);
  if (value["locals"] !== undefined) checkMap(value["locals"], "writes.locals", maxStateBytes);
  if (value["annotations"] !== undefined) checkMap(value["annotations"], "writes.annotations", maxAnnotationBytes);
  if (value["logs"] !== undefined) checkLogs(value["logs"]);
  if (value["kv"] !== undefined) checkKv(value["kv"]);
}

function checkMap(value: unknown, path: string, maxBytes: number): void {
  if (!isRecord(value)) throw new InvalidOutcome(path, "is no object");
  for (const key of Object.keys(value)) checkKey(key, `${path}[${JSON.stringify(key.slice(0, 100))}]`);
  checkSize(value, path, maxBytes);
}

function checkKey(key: unknown, path: string): void {
  if (typeof key !== "string") throw new InvalidOutcome(path, "is no text");
  if (key.length > maxKeyLength) throw new InvalidOutcome(path, `is ${key.length} characters long; at most ${maxKeyLength} are taken`);
  // Whoever copies it into an ordinary object would change that object's prototype.
  if (key === "__proto__") throw new InvalidOutcome(path, "is not to be set");
}

function checkSize(value: unknown, path: string, maxBytes: number): void {
  const { length } = JSON.stringify(value) ?? "";
  if (length > maxBytes) throw new InvalidOutcome(path, `takes ${length} characters; at most ${maxBytes} are taken`);
}

function checkLogs(value: unknown): void {
  if (!Array.isArray(value)) throw new InvalidOutcome("writes.logs", "is no list");
  let length = 0;
  for (const [index, line] of value.entries()) {
    if (!isRecord(line) || typeof line["text"] !== "string" || !levels.has(line["level"])) {
      throw new InvalidOutcome(`writes.logs[${index}]`, "is no line of a log");
    }
    length += line["text"].length + 1;
  }
  if (length > maxLogBytes) throw new InvalidOutcome("writes.logs", `takes ${length} characters; at most ${maxLogBytes} are taken`);
}

function checkKv(value: unknown): void {
  if (!Array.isArray(value)) throw new InvalidOutcome("writes.kv", "is no list");
  if (value.length > maxKvWrites) throw new InvalidOutcome("writes.kv", `has ${value.length} entries; at most ${maxKvWrites} are taken`);
  for (const [index, write] of value.entries()) {
    const path = `writes.kv[${index}]`;
    if (!isRecord(write)) throw new InvalidOutcome(path, "is no object");
    checkKey(write["key"], `${path}.key`);
    const content =
      write["op"] === "set" ? write["value"] : write["op"] === "append" ? write["line"] : write["op"] === "delete" ? null : undefined;
    if (content === undefined) throw new InvalidOutcome(path, "is no set, append or delete");
  }
  checkSize(value, "writes.kv", maxKvBytes);
}
