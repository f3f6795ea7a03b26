import { execFile } from "node:child_process";
import { mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import * as fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { KvDatabase, kvLimits, type KvLimits } from "../../../core/capabilities/kv-database.ts";
import { kvFileName, type KvStore, openKv } from "../../../core/capabilities/kv.ts";
import type { KvWrite } from "../../../core/sandbox/protocol.ts";
import type { Json } from "../../../sdk/body.ts";

const file = "hooks/a.ts";
const run = promisify(execFile);
const node = process.execPath;
const kvSource = fileURLToPath(new URL("../../../core/capabilities/kv.ts", import.meta.url));

let directory: string;
const stores: KvStore[] = [];
beforeEach(async () => {
  directory = await mkdtemp(path.join(tmpdir(), "ccproxy-kv-"));
});
afterEach(async () => {
  await Promise.all(stores.splice(0).map((store) => store.close()));
  await rm(directory, { recursive: true });
});

async function open(): Promise<KvStore> {
  const store = await openKv(directory);
  stores.push(store);
  return store;
}

describe("what a file keeps", () => {
  test("is there after a restart, for that file alone, and readable by its owner alone", async () => {
    const first = await open();
    await first.commit(file, [{ op: "set", key: "a", value: { deep: [1, "x", null] } }], "1");
    const modes = await Promise.all((await readdir(directory)).map(async (name) => (await stat(path.join(directory, name))).mode & 0o777));
    expect(modes.length).toBeGreaterThan(1);
    expect(new Set(modes)).toEqual(new Set([0o600]));
    await first.close();
    const second = await open();
    expect(await second.get(file, "a")).toEqual([{ deep: [1, "x", null] }]);
    expect(await second.get("hooks/b.ts", "a")).toEqual([]);
  });

  test("is not made before somebody asks for it", async () => {
    await open();
    expect((await stat(path.join(directory, kvFileName))).size).toBe(0);
  });

  test("a stored null is told from nothing", async () => {
    const store = await open();
    await store.commit(file, [{ op: "set", key: "a", value: null }], "1");
    expect([await store.get(file, "a"), await store.get(file, "b")]).toEqual([[null], []]);
  });

  test("lines come oldest first, the last ones of them", async () => {
    const store = await open();
    await store.commit(
      file,
      [1, 2, 3].map((line): KvWrite => ({ op: "append", key: "log", line })),
      "1",
    );
    await store.commit(file, [{ op: "append", key: "log", line: { four: 4 } }], "2");
    expect(await store.lines(file, "log", 2)).toEqual([3, { four: 4 }]);
    expect(await store.lines(file, "log", 1_000_000)).toEqual([1, 2, 3, { four: 4 }]);
    expect(await store.lines(file, "log", Number.NaN)).toEqual([{ four: 4 }]);
    expect(await store.lines(file, "log", -5)).toEqual([{ four: 4 }]);
    expect(await store.lines(file, "other", 5)).toEqual([]);
  });

  test("a delete takes value and lines away", async () => {
    const store = await open();
    await store.commit(
      file,
      [
        { op: "set", key: "a", value: 1 },
        { op: "append", key: "a", line: 2 },
      ],
      "1",
    );
    await store.commit(
      file,
      [
        { op: "delete", key: "a" },
        { op: "delete", key: "never" },
      ],
      "2",
    );
    expect([await store.get(file, "a"), await store.lines(file, "a", 9)]).toEqual([[], []]);
    const usage = new DatabaseSync(path.join(directory, kvFileName)).prepare("SELECT keys, bytes FROM usage").get();
    expect({ ...usage }).toEqual({ keys: 0, bytes: 0 });
  });

  test.each(["__proto__", "constructor", "", "a\u0000b", "'; DROP TABLE entry; --", "\ud800", "ключ", "%_"])(
    "under the key %j is kept as any other",
    async (key) => {
      const store = await open();
      await store.commit(
        key,
        [
          { op: "set", key, value: { [key]: key } },
          { op: "append", key, line: key },
        ],
        key,
      );
      expect(JSON.stringify(await store.get(key, key))).toBe(JSON.stringify([{ [key]: key }]));
      expect(await store.lines(key, key, 1)).toEqual([key]);
      expect(await store.get(key, `${key}x`)).toEqual([]);
    },
  );
});

describe("a commit", () => {
  test("of the same outcome counts once", async () => {
    const store = await open();
    const writes: KvWrite[] = [{ op: "append", key: "log", line: 1 }];
    await Promise.all([store.commit(file, writes, "outcome"), store.commit(file, writes, "outcome")]);
    await store.commit(file, writes, "outcome");
    expect(await store.lines(file, "log", 10)).toEqual([1]);
  });

  test("of the same outcome counts once after a crash too", async () => {
    const script = `
      import { openKv } from ${JSON.stringify(kvSource)};
      const store = await openKv(${JSON.stringify(directory)});
      await store.commit("${file}", [{ op: "append", key: "log", line: 1 }], "outcome");
      process.kill(process.pid, "SIGKILL");
    `;
    await expect(run(node, ["--input-type=module-typescript", "--eval", script])).rejects.toMatchObject({ signal: "SIGKILL" });
    const store = await open();
    await store.commit(file, [{ op: "append", key: "log", line: 1 }], "outcome");
    expect(await store.lines(file, "log", 10)).toEqual([1]);
  });

  test("is tried again when the thread dies before it could answer, and counts once", async () => {
    const store = await openKv(directory, new URL("kv-dying-worker.ts", import.meta.url));
    stores.push(store);
    await store.commit(file, [{ op: "append", key: "log", line: 1 }], "outcome");
    expect(await store.lines(file, "log", 10)).toEqual([1]);
  });

  test("that a dying thread took along twice is given up", async () => {
    const store = await openKv(directory, new URL("data:text/javascript,process.exit(1)"));
    stores.push(store);
    await expect(store.commit(file, [{ op: "delete", key: "a" }], "outcome")).rejects.toThrow("the thread of context.kv ended");
    await expect(store.get(file, "a")).rejects.toThrow("the thread of context.kv ended");
  });

  test("takes all of the writes or none", async () => {
    const store = await open();
    await store.commit(file, [{ op: "set", key: "a", value: 1 }], "1");
    const writes: KvWrite[] = [
      { op: "set", key: "a", value: 2 },
      { op: "append", key: "log", line: 1 },
      { op: "set", key: "b", value: "x".repeat(kvLimits.valueLength) },
    ];
    await expect(store.commit(file, writes, "2")).rejects.toMatchObject({
      name: "CapabilityError",
      message: /a value of 262146 characters; at most 262144/,
    });
    expect([await store.get(file, "a"), await store.get(file, "b"), await store.lines(file, "log", 9)]).toEqual([[1], [], []]);
    // What was refused was not applied, so the same outcome may come again.
    await store.commit(file, [{ op: "set", key: "a", value: 3 }], "2");
    expect(await store.get(file, "a")).toEqual([3]);
  });

  test("of two processes at once loses nothing", async () => {
    const script = `
      import { openKv } from ${JSON.stringify(kvSource)};
      const [, name] = process.argv;
      const store = await openKv(${JSON.stringify(directory)});
      for (let index = 0; index < 150; index++) {
        await store.commit("${file}", [{ op: "append", key: "log", line: name + index }, { op: "set", key: name, value: index }], name + index);
      }
      await store.close();
    `;
    const outputs = await Promise.all(["x", "y"].map((name) => run(node, ["--input-type=module-typescript", "--eval", script, name])));
    // Node's remark that its SQLite is experimental must not reach anybody's terminal either.
    expect(outputs).toEqual([
      { stdout: "", stderr: "" },
      { stdout: "", stderr: "" },
    ]);
    const store = await open();
    const lines = (await store.lines(file, "log", 1000)) as string[];
    for (const name of ["x", "y"]) {
      expect(lines.filter((line) => line.startsWith(name))).toEqual(Array.from({ length: 150 }, (_, index) => `${name}${index}`));
      expect(await store.get(file, name)).toEqual([149]);
    }
  });
});

describe("a database that cannot be used", () => {
  test("fails what is asked of it, and names the file", async () => {
    await writeFile(path.join(directory, kvFileName), "this is no database, whatever its name says ".repeat(50));
    const store = await open();
    await expect(store.get(file, "a")).rejects.toThrow(`${path.join(directory, kvFileName)} file is not a database`);
    await expect(store.commit(file, [{ op: "delete", key: "a" }], "1")).rejects.toThrow("file is not a database");
  });

  test("because a newer version made it is left alone", async () => {
    const newer = new DatabaseSync(path.join(directory, kvFileName));
    newer.exec("PRAGMA user_version = 99");
    newer.close();
    await expect((await open()).get(file, "a")).rejects.toThrow("has the format 99; this version of ccproxy knows 1");
  });

  test("because it is closed says so", async () => {
    const store = await open();
    await store.close();
    await expect(store.get(file, "a")).rejects.toMatchObject({ name: "CapabilityError" });
    await store.close();
  });
});

describe("limits", () => {
  const small: KvLimits = { keyLength: 20, valueLength: 100, keys: 5, fileBytes: 300, lines: 4, readBytes: 120 };
  const withSmall = (): KvDatabase => new KvDatabase(new DatabaseSync(":memory:"), () => 0, small);
  const set = (key: string, value: Json): KvWrite => ({ op: "set", key, value });

  test("on the number of keys, the size of all, of a key and of a value are kept to", () => {
    const database = withSmall();
    database.commit(
      file,
      ["a", "b", "c", "d", "e"].map((key) => set(key, 1)),
      "1",
    );
    expect(() => database.commit(file, [set("f", 1)], "2")).toThrow("would have 6 keys; at most 5");
    expect(() => database.commit(file, [{ op: "append", key: "f", line: 1 }], "2")).toThrow("would have 6 keys; at most 5");
    database.commit(file, [{ op: "delete", key: "a" }, set("f", 1)], "3");
    expect(() =>
      database.commit(
        file,
        ["b", "c", "d", "e"].map((key) => set(key, "x".repeat(80))),
        "4",
      ),
    ).toThrow(/would have 3\d\d bytes; at most 300/);
    expect(() => database.commit(file, [set("k".repeat(21), 1)], "5")).toThrow("a key of 21 characters; at most 20");
    expect(() => database.commit(file, [set("b", "é".repeat(100))], "6")).toThrow("a value of 102 characters; at most 100");
    database.commit("hooks/b.ts", [set("f", 1)], "7");
  });

  test("on lines drop the oldest, and their bytes with them", () => {
    const database = withSmall();
    for (let index = 0; index < 100; index++) database.commit(file, [{ op: "append", key: "log", line: `line ${index}` }], String(index));
    expect(database.lines(file, "log", 1000)).toEqual(["line 96", "line 97", "line 98", "line 99"]);
  });

  test("on what is read at once are said", () => {
    const database = withSmall();
    for (let index = 0; index < 3; index++) database.commit(file, [{ op: "append", key: "log", line: "x".repeat(50) }], String(index));
    expect(() => database.lines(file, "log", 3)).toThrow("the last 3 lines are more than 120 bytes; ask for fewer");
    expect(database.lines(file, "log", 2)).toHaveLength(2);
  });

  test("marks of outcomes are not kept for ever", () => {
    const connection = new DatabaseSync(":memory:");
    let now = 0;
    const database = new KvDatabase(connection, () => now);
    for (let index = 0; index < 999; index++) database.commit(file, [set("a", index)], `old ${index}`);
    now = 4_000_000;
    database.commit(file, [set("a", 0)], "new");
    expect(connection.prepare("SELECT outcome FROM applied").all()).toEqual([{ __proto__: null, outcome: "new" }]);
  });

  test("whatever is written, what is counted is what is there", () => {
    const key = fc.constantFrom("a", "b", "c", "d");
    const value = fc.oneof(fc.integer(), fc.string({ maxLength: 20 }), fc.constant(null));
    const write: fc.Arbitrary<KvWrite> = fc.oneof(
      fc.record({ op: fc.constant("set" as const), key, value }),
      fc.record({ op: fc.constant("delete" as const), key }),
      fc.record({ op: fc.constant("append" as const), key, line: value }),
    );
    fc.assert(
      fc.property(fc.array(fc.array(write, { maxLength: 5 }), { maxLength: 20 }), (outcomes) => {
        const connection = new DatabaseSync(":memory:");
        const database = new KvDatabase(connection, () => 0, small);
        const values = new Map<string, Json>();
        const lines = new Map<string, Json[]>();
        for (const [index, writes] of outcomes.entries()) {
          try {
            database.commit(file, writes, String(index));
          } catch {
            continue;
          }
          for (const one of writes) {
            if (one.op === "set") values.set(one.key, one.value);
            else if (one.op === "append") lines.set(one.key, [...(lines.get(one.key) ?? []), one.line].slice(-small.lines));
            else {
              values.delete(one.key);
              lines.delete(one.key);
            }
          }
        }
        for (const name of ["a", "b", "c", "d"]) {
          expect(database.get(file, name)).toEqual(values.has(name) ? [values.get(name)] : []);
          expect(database.lines(file, name, 1)).toEqual((lines.get(name) ?? []).slice(-1));
        }
        const counted = connection.prepare("SELECT coalesce(sum(keys), 0) AS keys, coalesce(sum(bytes), 0) AS bytes FROM usage").get();
        const there = connection
          .prepare(
            "SELECT (SELECT count(*) FROM entry) AS keys, (SELECT coalesce(sum(bytes), 0) FROM entry) + (SELECT coalesce(sum(bytes), 0) FROM line) AS bytes",
          )
          .get();
        expect(counted).toEqual(there);
      }),
      { numRuns: 60 },
    );
  });
});

test("the loop goes on while the database is held by somebody else", async () => {
  const store = await open();
  await store.commit(file, [{ op: "set", key: "a", value: 1 }], "1");
  const other = new DatabaseSync(path.join(directory, kvFileName));
  other.exec("BEGIN IMMEDIATE");
  let isCommitted = false;
  const commit = store.commit(file, [{ op: "set", key: "a", value: 2 }], "2").then(() => (isCommitted = true));
  // A database in this thread would wait here, and the turns below would never come.
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
  expect(isCommitted).toBe(false);
  other.exec("ROLLBACK");
  await commit;
  expect(await store.get(file, "a")).toEqual([2]);
  other.close();
});
