import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";

import { afterEach, beforeEach, expect, test } from "vitest";

import { SqliteError } from "../../../plugins/sqlite/index.ts";
import { seeded } from "../../helpers/seeded.ts";
import { integrityOf, openAt, wholeExchanges } from "./processes.ts";
import { batch, cost } from "./rows.ts";

const count = 20;
const ids = Array.from({ length: count }, (_, index) => `e${String(index).padStart(2, "0")}`);

let folder: string;
let path: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "ccproxy-sqlite-"));
  path = join(folder, "ccproxy.db");
});

afterEach(() => rmSync(folder, { recursive: true }));

/** As a kill leaves them: a file and its log. */
async function makeFiles(): Promise<{ readonly file: Buffer; readonly log: Buffer }> {
  const engine = openAt(path);
  for (const id of ids) await engine.ledger.write(batch(id));
  const files = { file: readFileSync(path), log: readFileSync(`${path}-wal`) };
  await engine.close();
  return files;
}

/** @returns what there is, or the error that says what is wrong with the file */
async function tryOpen(file: Buffer, log: Buffer | undefined): Promise<readonly string[] | SqliteError> {
  const there = join(folder, "copy");
  rmSync(there, { recursive: true, force: true });
  mkdirSync(there);
  const copy = join(there, "ccproxy.db");
  writeFileSync(copy, file);
  if (log !== undefined) writeFileSync(`${copy}-wal`, log);
  let engine: ReturnType<typeof openAt> | undefined;
  try {
    engine = openAt(copy);
    return [...(await wholeExchanges(engine))].toSorted();
  } catch (error) {
    if (!(error instanceof SqliteError)) throw error;
    expect(error.message).toContain(copy);
    return error;
  } finally {
    await engine?.close();
    // Whatever is wrong with it, it is still there.
    expect(readFileSync(copy).length).toBeGreaterThan(0);
  }
}

/** What was written first is what is there: nothing in between is missing. */
function expectBeginning(found: readonly string[] | SqliteError): void {
  if (!(found instanceof SqliteError)) expect(found).toEqual(ids.slice(0, found.length));
}

test("a log that was cut off anywhere holds what was written before, whole", { timeout: 60_000 }, async () => {
  const { file, log } = await makeFiles();
  const lengths = new Set<number>();
  for (let at = 0; at <= log.length; at += 512 * Math.ceil(log.length / 512 / 60)) {
    const found = await tryOpen(file, log.subarray(0, at));
    expectBeginning(found);
    if (!(found instanceof SqliteError)) lengths.add(found.length);
  }
  expect(await tryOpen(file, log)).toEqual(ids);
  expect(lengths.size).toBeGreaterThan(10);
});

test("a log with flipped bits holds what was written before them, or the error says so", { timeout: 60_000 }, async () => {
  const { file, log } = await makeFiles();
  const random = seeded(2);
  for (let each = 0; each < 40; each++) {
    const flipped = Buffer.from(log);
    const at = Math.floor(random() * log.length);
    flipped.writeUInt8(flipped.readUInt8(at) ^ (1 << Math.floor(random() * 8)), at);
    expectBeginning(await tryOpen(file, flipped));
  }
});

test("a file with flipped bits in its money is damaged, whichever they are", { timeout: 60_000 }, async () => {
  await makeFiles();
  const file = readFileSync(path);
  const pattern = Buffer.from(cost.toString(16), "hex");
  const places: number[] = [];
  for (let at = file.indexOf(pattern); at >= 0; at = file.indexOf(pattern, at + 1)) places.push(at);
  expect(places.length).toBeGreaterThanOrEqual(2 * count);
  // Of each exchange, the cost comes before what it would have cost as asked.
  for (let bit = 0; bit < pattern.length * 8; bit++) {
    const flipped = Buffer.from(file);
    const at = (places[2 * (bit % count)] ?? 0) + (bit >> 3);
    flipped.writeUInt8(flipped.readUInt8(at) ^ (1 << (bit % 8)), at);
    expect(await tryOpen(flipped, undefined)).toMatchObject({ problem: "damaged" });
  }
});

test("a sum of damaged money is none, in a file too large to be read whole when it is opened, too", async () => {
  const engine = openAt(path);
  for (const id of ids) await engine.ledger.write(batch(id));
  const rows = new DatabaseSync(path);
  // Another program changes one of the two places a cost is kept at, as a disk would.
  rows.prepare("UPDATE exchange SET cost = cost + 1 WHERE id = ?").run("e07");
  expect(() => engine.ledger.totals([], {})).toThrow(
    expect.objectContaining({ problem: "damaged", message: expect.stringContaining(path) }),
  );
  expect(() => engine.ledger.totals(["model"], { requestId: "e07" })).toThrow(SqliteError);
  rows.exec("UPDATE exchange SET cost = NULL WHERE id = 'e07'");
  expect(() => engine.ledger.totals([], {})).toThrow(SqliteError);
  expect(await engine.ledger.totals([], { requestId: "e08" })).toMatchObject([{ cost }]);
  rows.close();
  await engine.close();
});

test("a file that was cut off, overwritten or never a database says what to do", async () => {
  await makeFiles();
  const file = readFileSync(path);
  const pageBytes = 4096;
  for (const length of [512, pageBytes, pageBytes + 100, file.length - pageBytes])
    expect(await tryOpen(file.subarray(0, length), undefined)).toMatchObject({ problem: "damaged" });
  for (let page = 1; page < file.length / pageBytes - 1; page += 7) {
    const overwritten = Buffer.from(file).fill(0xa5, page * pageBytes, (page + 1) * pageBytes);
    expect(await tryOpen(overwritten, undefined)).toMatchObject({ problem: "damaged" });
  }
  const nothing = await tryOpen(Buffer.from("this is no database, it is a letter".repeat(200)), undefined);
  expect(nothing).toMatchObject({ problem: "damaged" });
  expect(String(nothing)).toMatch(/is damaged, or no database .*Nothing of it was deleted.*restore a backup/s);
});

test("damage that comes later is told by whoever reads it", async () => {
  const engine = openAt(path);
  for (const id of ids) await engine.ledger.write(batch(id));
  await engine.close();
  const open = openAt(path);
  const other = join(folder, "other.db");
  copyFileSync(path, other);
  truncateSync(path, 4096);
  expect(() => open.ledger.totals([], {})).toThrow(SqliteError);
  await open.close().catch(() => undefined);
  expect(integrityOf(other)).toBe("ok");
});
