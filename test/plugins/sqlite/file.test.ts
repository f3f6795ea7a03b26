import { chmodSync, existsSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";

import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { openSqlite } from "../../../plugins/sqlite/index.ts";
import { openAt } from "./processes.ts";
import { batch } from "./rows.ts";

let folder: string;
let path: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "ccproxy-sqlite-"));
  path = join(folder, "deep/er", "ccproxy.db");
});

afterEach(() => rmSync(folder, { recursive: true }));

function modeOf(file: string): number {
  return lstatSync(file).mode & 0o777;
}

describe("a file", () => {
  test("and what is beside it is for its owner only, whatever the umask", async () => {
    const umask = process.umask(0);
    try {
      const engine = openAt(path);
      await engine.ledger.write(batch("e"));
      for (const file of [path, `${path}-wal`, `${path}-shm`]) expect(modeOf(file), file).toBe(0o600);
      for (const each of [join(folder, "deep"), join(folder, "deep/er")]) expect(modeOf(each), each).toBe(0o700);
      await engine.close();
    } finally {
      process.umask(umask);
    }
  });

  test("that others may read is closed to them; a folder that was there stays as it is", async () => {
    mkdirSync(join(folder, "deep/er"), { recursive: true });
    chmodSync(join(folder, "deep/er"), 0o755);
    writeFileSync(path, "");
    chmodSync(path, 0o644);
    await openAt(path).close();
    expect([modeOf(path), modeOf(join(folder, "deep/er"))]).toEqual([0o600, 0o755]);
  });

  test("that is a link, or whose log is one, is refused, and nothing is made elsewhere", () => {
    const elsewhere = join(folder, "elsewhere");
    mkdirSync(join(folder, "deep/er"), { recursive: true });
    symlinkSync(elsewhere, path);
    expect(() => openAt(path)).toThrow(/ccproxy\.db is a symbolic link/);
    rmSync(path);
    symlinkSync(elsewhere, `${path}-wal`);
    expect(() => openAt(path)).toThrow(/ccproxy\.db-wal is a symbolic link/);
    expect(existsSync(elsewhere)).toBe(false);
    rmSync(`${path}-wal`);
    mkdirSync(path);
    expect(() => openAt(path)).toThrow(/is no file/);
  });

  test("is whole without its log when all have closed it", async () => {
    const [one, two] = [openAt(path), openAt(path)];
    await one.ledger.write(batch("e"));
    await one.close();
    await one.close();
    expect(readdirSync(join(folder, "deep/er"))).toContain("ccproxy.db-wal");
    await two.ledger.write(batch("f"));
    await two.close();
    expect(readdirSync(join(folder, "deep/er"))).toEqual(["ccproxy.db"]);
  });

  test("that was taken away is missed", async () => {
    const engine = openAt(path);
    await expect(engine.ping()).resolves.toBeUndefined();
    rmSync(path);
    await expect(engine.ping()).rejects.toThrow(/ccproxy\.db was deleted or replaced/);
    await engine.close();
  });
});

describe("what is in a file", () => {
  function change(sql: string): void {
    const database = new DatabaseSync(path);
    database.exec(sql);
    database.close();
  }

  test("is refused when it is of a newer program, and left alone", async () => {
    await openAt(path).close();
    change("PRAGMA user_version = 999");
    expect(() => openAt(path)).toThrow(
      /ccproxy\.db is of version 999, and this program knows 1: a newer ccproxy has been here; update this one/,
    );
    change("PRAGMA user_version = 1");
    await openAt(path).close();
  });

  test("is refused when it is of another program", () => {
    mkdirSync(join(folder, "deep/er"), { recursive: true });
    change("CREATE TABLE theirs (a); PRAGMA user_version = 1");
    expect(() => openAt(path)).toThrow(/is a database of another program/);
    change("PRAGMA user_version = 0");
    expect(() => openAt(path)).toThrow(/is a database of another program/);
  });

  test("cannot be written while another one holds it for too long, and the error says so", async () => {
    const engine = openSqlite({ path, wallClock: Date.now, busyMs: 20 });
    const holder = new DatabaseSync(path);
    holder.exec("BEGIN IMMEDIATE");
    expect(() => engine.ledger.write(batch("e"))).toThrow(
      expect.objectContaining({ problem: "busy", message: expect.stringContaining(path) }),
    );
    expect(await engine.ledger.exchanges({}, 10)).toEqual([]);
    holder.exec("ROLLBACK");
    holder.close();
    await engine.ledger.write(batch("e"));
    await engine.close();
  });
});
