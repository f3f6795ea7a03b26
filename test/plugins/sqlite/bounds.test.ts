import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";

import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { type SqliteEngine, openSqlite } from "../../../plugins/sqlite/index.ts";
import { batch, midnight } from "./rows.ts";

const dayMs = 86_400_000;
const minuteMs = 60_000;

let folder: string;
let path: string;
let time: number;
let engine: SqliteEngine;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "ccproxy-sqlite-"));
  path = join(folder, "ccproxy.db");
  time = midnight;
  engine = openSqlite({ path, wallClock: () => time, maxCacheBytes: 10_000 });
});

afterEach(async () => {
  await engine.close();
  rmSync(folder, { recursive: true });
});

/** How many rows are in a table, whoever would still see them. */
function rowsOf(table: string): unknown {
  const database = new DatabaseSync(path, { readOnly: true });
  try {
    return database.prepare(`SELECT count(*) AS count FROM ${table}`).get()?.["count"];
  } finally {
    database.close();
  }
}

describe("a cache of so many bytes", () => {
  const put = (key: string, bytes: number, ttlMs = dayMs): unknown =>
    engine.cache.put(key, { storedAt: time, head: "{}", body: new Uint8Array(bytes) }, ttlMs);
  const there = async (...keys: readonly string[]): Promise<readonly boolean[]> => {
    const found: boolean[] = [];
    for (const key of keys) found.push((await engine.cache.get(key)) !== undefined);
    return found;
  };

  test("loses what was put first, as much as is needed", async () => {
    for (const key of ["a", "b", "c"]) await put(key, 3000);
    await put("a", 3000);
    await put("d", 3000);
    expect(await there("a", "b", "c", "d")).toEqual([true, false, true, true]);
    await put("e", 9000);
    expect(await there("a", "c", "d", "e")).toEqual([false, false, false, true]);
    expect(await engine.cache.stats()).toEqual({ entries: 1, bytes: 9003 });
  });

  test("does not keep what has no room at all, and loses nothing for it", async () => {
    await put("a", 3000);
    await put("b", 3000);
    await put("b", 10_000);
    expect(await there("a", "b")).toEqual([true, false]);
  });

  test("stays within its bytes with hundreds of small ones", async () => {
    for (let each = 0; each < 500; each++) await put(`k${each}`, 100);
    await put("large", 9900);
    expect(await engine.cache.stats()).toMatchObject({ entries: 1 });
    for (let each = 0; each < 500; each++) await put(`k${each}`, 100);
    expect((await engine.cache.stats()).bytes).toBeLessThanOrEqual(10_000);
  });

  test("counts neither in its numbers nor on the disk what is over", async () => {
    for (let each = 0; each < 50; each++) await put(`k${each}`, 1, 1000);
    time += 1000;
    expect(await engine.cache.stats()).toEqual({ entries: 0, bytes: 0 });
    expect(await engine.cache.delete(["k1"])).toBe(0);
    time += minuteMs;
    await put("new", 1);
    expect(rowsOf("cached")).toBe(1);
  });
});

describe("what is over leaves the disk with what is written later", () => {
  test("of limits, a little at a time", async () => {
    const reserve = (id: string): unknown =>
      engine.limits.reserve(
        id,
        [
          { kind: "window", key: `w${id}`, amount: 1, limit: 10, windowMs: 1000 },
          { kind: "slot", key: `s${id}`, limit: 10 },
        ],
        1000,
      );
    for (let each = 0; each < 250; each++) await reserve(String(each));
    time += 2 * dayMs;
    await reserve("first");
    expect([rowsOf("counter"), rowsOf("slot"), rowsOf("reservation")]).toEqual([151, 151, 151]);
    await reserve("second");
    await reserve("third");
    expect([rowsOf("counter"), rowsOf("slot"), rowsOf("reservation")]).toEqual([3, 3, 3]);
  });

  test("of reservations only when nobody will settle them any more", async () => {
    await engine.limits.reserve(
      "long",
      [{ kind: "budget", key: "b", amount: 9, limit: 10, period: "p", endsInMs: undefined, spent: 0 }],
      1000,
    );
    time += 2 * 3_600_000;
    await engine.limits.reserve("later", [], 1000);
    await engine.limits.settle("long", [2]);
    expect(await engine.limits.read(["b"])).toMatchObject([{ used: 2 }]);
  });

  test("of routing", async () => {
    await engine.routing.begin("d");
    await engine.routing.end("d", { outcome: "success", tokens: 1, latency: 1, firstContent: 1 });
    await engine.routing.fail("d", 1000);
    await engine.routing.cool("d", { ms: 1000, reason: "429", status: 429 });
    await engine.routing.bind("s", "d", 1000);
    const tables = ["deployment", "in_flight", "failures", "cooldown", "session"];
    expect(tables.map(rowsOf)).toEqual([1, 1, 1, 1, 1]);
    time += dayMs;
    await engine.routing.warm("nobody");
    expect(tables.map(rowsOf)).toEqual([0, 0, 0, 0, 0]);
  });
});

test("what another process has under way is counted, until it closes or is not heard of for an hour", async () => {
  const options = { path, wallClock: () => time };
  const [closed, killed] = [openSqlite(options), openSqlite(options)];
  const inFlight = async (): Promise<unknown> => (await engine.routing.read(["d"]))[0]?.inFlight;
  for (const each of [engine, closed, killed]) await each.routing.begin("d");
  await engine.routing.end("d", { outcome: "none", tokens: 0, latency: undefined, firstContent: undefined });
  expect(await inFlight()).toBe(2);
  await engine.routing.end("d", { outcome: "none", tokens: 0, latency: undefined, firstContent: undefined });
  expect(await inFlight()).toBe(2);
  await closed.close();
  expect(await inFlight()).toBe(1);
  time += 60 * minuteMs;
  expect(await inFlight()).toBe(0);
  await killed.close();
});

test("sums that cannot be exact are told, never rounded", async () => {
  const dear = Number.MAX_SAFE_INTEGER;
  for (const id of ["e1", "e2"])
    await engine.ledger.write(
      batch(id).map((write) => (write.type === "end" ? { type: "end", row: { ...write.row, cost: dear, costAsAsked: dear } } : write)),
    );
  expect(() => engine.ledger.totals([], {})).toThrow(/ccproxy\.db: a number or a sum is too large to be exact/);
  const tooMuch = batch("e3").map((write) =>
    write.type === "attempt" ? { type: "attempt" as const, row: { ...write.row, estimate: 2 ** 53 } } : write,
  );
  expect(() => engine.ledger.write(tooMuch)).toThrow(/ccproxy\.db: CHECK constraint failed/);
  expect((await engine.ledger.exchanges({}, 10)).map(({ id }) => id)).toEqual(["e2", "e1"]);
});

test("a counter that is full stays full", async () => {
  const most = Number.MAX_SAFE_INTEGER;
  await engine.limits.reserve(
    "r",
    [{ kind: "budget", key: "b", amount: 1, limit: most, period: "p", endsInMs: undefined, spent: most - 1 }],
    1000,
  );
  await engine.limits.settle("r", [most]);
  await engine.limits.add("b", "p", most);
  expect(await engine.limits.read(["b"])).toMatchObject([{ used: most }]);
});

test("thousands of exchanges are pruned, with all that is theirs", async () => {
  for (let each = 0; each < 1100; each++) await engine.ledger.write(batch(`e${each}`));
  expect(await engine.ledger.prune(midnight + 1)).toBe(1100);
  expect(["exchange", "attempt", "exchange_tag"].map(rowsOf)).toEqual([0, 0, 0]);
});
