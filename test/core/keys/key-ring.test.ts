import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";

import type { KeyHolder } from "../../../core/keys/access.ts";
import { createKeyRing, type KeyRing, type KeyRingOptions } from "../../../core/keys/key-ring.ts";
import { decodeKeyGenerate } from "../../../core/keys/key-request.ts";
import { decodeTeamNew } from "../../../core/keys/team-request.ts";
import { decodeUserNew } from "../../../core/keys/user-request.ts";
import { createSecret, idOf } from "../../../core/keys/secret.ts";
import { openMemory } from "../../../plugins/memory/index.ts";
import { openSqlite } from "../../../plugins/sqlite/index.ts";
import type { KeyStore, VirtualKey } from "../../../sdk/keys.ts";

const secret = createSecret();
const id = idOf(secret);
const keyOf = (body: object = {}, of = secret): VirtualKey => decodeKeyGenerate({ key: of, ...body }, 0, undefined).key;

/** Those of this process answer at once. */
function localStore(): KeyStore {
  return openMemory({ now: () => 0, wallClock: () => 0 }).keys;
}

const broken = new Error("no route to postgres://user:password@host");

/** One on a server: it takes time to answer, may be away, and may hang. */
function createServer(): Server {
  const records = localStore();
  const asked: string[] = [];
  let failing: ReadonlySet<string> = new Set();
  let hanging: ReadonlySet<string> = new Set();
  let held = Promise.withResolvers<void>();
  async function answer<Value>(what: string, value: () => Value): Promise<Awaited<Value>> {
    asked.push(what);
    const found = await value();
    if (hanging.has(what)) await held.promise;
    if (failing.has(what)) throw broken;
    return found;
  }
  return {
    records,
    asked,
    keys: {
      get: (kind, of) => answer(kind, () => records.get(kind, of)),
      version: () => answer("version", () => records.version()),
    },
    fail(...what) {
      failing = new Set(what);
    },
    hang(...what) {
      hanging = new Set(what);
    },
    goOn() {
      hanging = new Set();
      held.resolve();
      held = Promise.withResolvers();
    },
  };
}

type What = "version" | "key";

interface Server {
  readonly records: KeyStore;
  /** What it was asked for, in order. */
  readonly asked: string[];
  readonly keys: KeyRingOptions["keys"];
  /** From now on, these; nothing any more where none is named. */
  fail(...what: readonly What[]): void;
  /** Until it goes on, these. What it will say then is what it knew when it was asked. */
  hang(...what: readonly What[]): void;
  goOn(): void;
}

let now = 0;
beforeEach(() => void (now = 0));

function ringOf(keys: KeyRingOptions["keys"], options: Partial<KeyRingOptions> = {}): KeyRing {
  return createKeyRing({ keys, now: () => now, ...options });
}

/** Of a store that answers at once. */
function found(ring: KeyRing, of = secret): KeyHolder | undefined {
  const holder = ring.find(of);
  if (holder instanceof Promise) throw new Error("there was something to wait for");
  return holder;
}

describe("a store that answers at once", () => {
  test("knows a key with whom it belongs to, with nothing to wait for", async () => {
    const store = localStore();
    await store.create("user", decodeUserNew({ user_id: "u" }, 0).user);
    await store.create("team", decodeTeamNew({ team_id: "t" }, 0).team);
    await store.create("key", keyOf({ user_id: "u", team_id: "t" }));
    expect(found(ringOf(store))).toMatchObject({ key: { id, userId: "u" }, user: { id: "u" }, team: { id: "t" } });
  });

  test("does not know another secret, nor an id in place of it", async () => {
    const store = localStore();
    await store.create("key", keyOf());
    const ring = ringOf(store);
    for (const other of [`${secret}x`, secret.slice(0, -1), secret.toUpperCase(), id, ""]) expect(found(ring, other)).toBeUndefined();
  });

  test("does without people, teams and budgets that are not there any more", async () => {
    const store = localStore();
    await store.create("key", keyOf({ user_id: "u", team_id: "t", budget_id: "b" }));
    expect(found(ringOf(store))).toEqual({ key: keyOf({ user_id: "u", team_id: "t", budget_id: "b" }), user: undefined, team: undefined });
  });

  test("gives the terms of a budget where there are none of its own, to each owner those of its", async () => {
    const store = localStore();
    const times = { createdAt: 0, updatedAt: 0 };
    await store.create("budget", { id: "b", rpm: 2, tpm: 3, ...times });
    await store.create("budget", { id: "c", maxBudget: 4, ...times });
    await store.create("user", { ...decodeUserNew({ user_id: "u" }, 0).user, budgetId: "c" });
    await store.create("team", { ...decodeTeamNew({ team_id: "t", max_budget: 1 }, 0).team, budgetId: "c" });
    await store.create("key", keyOf({ user_id: "u", team_id: "t", budget_id: "b", rpm_limit: 9 }));
    const holder = found(ringOf(store));
    expect(holder?.key).toMatchObject({ id, rpm: 9, tpm: 3 });
    expect(holder?.user).toMatchObject({ id: "u", maxBudget: 4 });
    expect(holder?.team).toMatchObject({ id: "t", maxBudget: 1_000_000_000 });
    expect([holder?.user?.rpm, holder?.team?.rpm, holder?.key.maxBudget]).toEqual([undefined, undefined, undefined]);
  });

  test("is not believed when it takes another key for the right one", () => {
    const store = localStore();
    const other = keyOf({}, createSecret());
    const keys: KeyRingOptions["keys"] = {
      version: () => "1",
      get: (kind, of) => (kind === "key" ? (other as never) : store.get(kind, of)),
    };
    expect(found(ringOf(keys))).toBeUndefined();
  });

  test("is asked for its version alone, until something changes", async () => {
    const store = localStore();
    await store.create("key", keyOf());
    const reads: string[] = [];
    const ring = ringOf({ version: () => store.version(), get: (kind, of) => (reads.push(kind), store.get(kind, of)) });
    for (let count = 0; count < 3; count++) expect(found(ring)?.key.id).toBe(id);
    for (let count = 0; count < 3; count++) expect(found(ring, "sk-guess")).toBeUndefined();
    expect(reads).toEqual(["key", "key"]);
    await store.update("key", id, (key) => ({ ...key, isBlocked: true }));
    expect(found(ring)?.key.isBlocked).toBe(true);
    await store.delete("key", [id]);
    expect(found(ring)).toBeUndefined();
    await store.create("key", keyOf({}, "sk-guess"));
    expect(found(ring, "sk-guess")?.key.name).toBe("sk-...");
  });

  test("is asked anew for what was remembered longest ago, and guesses are not remembered in place of keys", async () => {
    const store = localStore();
    const secrets = Array.from({ length: 3 }, createSecret);
    for (const each of secrets) await store.create("key", keyOf({}, each));
    const reads: string[] = [];
    const ring = ringOf({ version: () => store.version(), get: (kind, of) => (reads.push(of), store.get(kind, of)) }, { maxRemembered: 2 });
    const [first = "", second = "", third = ""] = secrets;
    for (const each of [first, second, first, third]) expect(found(ring, each)?.key.id).toBe(idOf(each));
    for (let count = 0; count < 5; count++) found(ring, `sk-guess-${count}`);
    reads.length = 0;
    for (const each of [first, third]) found(ring, each);
    for (const each of ["sk-guess-4", "sk-guess-3"]) found(ring, each);
    expect(reads).toEqual([]);
    for (const each of [second, "sk-guess-0"]) found(ring, each);
    expect(reads).toEqual([idOf(second), idOf("sk-guess-0")]);
  });
});

describe("a file that another process changes", () => {
  let directory: string;
  beforeEach(() => void (directory = mkdtempSync(path.join(tmpdir(), "key-ring-"))));
  afterEach(() => rmSync(directory, { recursive: true, force: true }));

  test("is noticed with the next request", async () => {
    const file = path.join(directory, "a.db");
    await using mine = closing(openSqlite({ path: file, wallClock: () => 0 }));
    await using other = closing(openSqlite({ path: file, wallClock: () => 0 }));
    const ring = ringOf(mine.engine.keys);
    await other.engine.keys.create("key", keyOf());
    expect((await ring.find(secret))?.key.id).toBe(id);
    await other.engine.keys.delete("key", [id]);
    expect(await ring.find(secret)).toBeUndefined();
  });

  function closing(engine: ReturnType<typeof openSqlite>): AsyncDisposable & { readonly engine: typeof engine } {
    return { engine, [Symbol.asyncDispose]: () => engine.close() };
  }
});

describe("a store on a server", () => {
  let server: Server;
  beforeEach(async () => {
    server = createServer();
    await server.records.create("key", keyOf());
  });

  test("is believed for half a second, in which there is nothing to wait for", async () => {
    const ring = ringOf(server.keys);
    expect((await ring.find(secret))?.key.id).toBe(id);
    await server.records.delete("key", [id]);
    now = 499;
    expect(found(ring)?.key.id).toBe(id);
    expect(server.asked).toEqual(["version", "key"]);
    now = 500;
    expect(await ring.find(secret)).toBeUndefined();
    expect(server.asked).toEqual(["version", "key", "version", "key"]);
  });

  test("is read once for all who ask at the same time", async () => {
    const ring = ringOf(server.keys);
    const holders = await Promise.all(Array.from({ length: 50 }, async () => ring.find(secret)));
    expect(new Set(holders).size).toBe(1);
    expect(server.asked).toEqual(["version", "key"]);
    await Promise.all(Array.from({ length: 50 }, async () => ring.find("sk-guess")));
    await ring.find("sk-guess");
    expect(server.asked).toEqual(["version", "key", "key"]);
    now = 500;
    await Promise.all([ring.find(secret), ring.find("sk-guess")]);
    expect(server.asked).toEqual(["version", "key", "key", "version"]);
  });

  test("is not believed about what it read before a change that was noticed meanwhile", async () => {
    const ring = ringOf(server.keys);
    await ring.find("sk-guess");
    server.hang("key");
    const early = ring.find(secret);
    await server.records.update("key", id, (key) => ({ ...key, rpm: 7 }));
    now = 500;
    const other = ring.find("sk-guess");
    await vi.waitFor(() => expect(server.asked).toEqual(["version", "key", "key", "version", "key"]));
    server.goOn();
    await Promise.all([early, other]);
    expect((await ring.find(secret))?.key.rpm).toBe(7);
  });
});

describe("while the store is away", () => {
  let server: Server;
  let ring: KeyRing;
  beforeEach(async () => {
    server = createServer();
    await server.records.create("key", keyOf());
    ring = ringOf(server.keys, { patienceMs: 1 });
  });

  const away = { status: 503, kind: "api_error", message: "Keys cannot be checked at the moment." };
  const find = async (of = secret): Promise<string | undefined> => (await ring.find(of))?.key.id;

  test("what was found holds for a minute after the store was last heard, and nobody else is let in", async () => {
    expect(await find()).toBe(id);
    expect(await find("sk-guess")).toBeUndefined();
    now = 1000;
    server.fail("version");
    expect(await find()).toBe(id);
    expect(await find("sk-guess")).toBeUndefined();
    await expect(find("sk-other")).rejects.toMatchObject(away);
    now = 59_999;
    expect(await find()).toBe(id);
    now = 60_000;
    await expect(find()).rejects.toMatchObject(away);
    server.fail();
    now = 61_000;
    expect(await find()).toBe(id);
  });

  test("its words, which may name a password, are for the log alone", async () => {
    server.fail("version");
    await expect(find()).rejects.toMatchObject({ ...away, cause: broken, headers: { "retry-after": "5" } });
  });

  test("it is left alone for as long as it would be believed", async () => {
    await find();
    server.fail("version");
    now = 1000;
    await find();
    server.asked.length = 0;
    now = 1499;
    expect(found(ring)?.key.id).toBe(id);
    expect(() => ring.find("sk-other")).toThrow(expect.objectContaining(away));
    expect(server.asked).toEqual([]);
    now = 1500;
    await find();
    expect(server.asked).toEqual(["version"]);
  });

  test("what has changed since does not hold any more", async () => {
    await find();
    await server.records.delete("key", [id]);
    server.fail("key");
    now = 1000;
    await expect(find()).rejects.toMatchObject(away);
    server.fail("version", "key");
    now = 2000;
    await expect(find()).rejects.toMatchObject(away);
  });

  test("one that hangs keeps nobody waiting who was found before", async () => {
    await find();
    server.hang("version");
    now = 1000;
    expect(await find()).toBe(id);
    const unknown = find("sk-other");
    server.goOn();
    expect(await unknown).toBeUndefined();
  });

  test("one that hangs is waited for where a minute has passed", async () => {
    await find();
    await server.records.delete("key", [id]);
    server.hang("version");
    now = 60_000;
    const late = find();
    server.goOn();
    expect(await late).toBeUndefined();
  });

  test("one of this process that fails is away, too", async () => {
    const records = localStore();
    await records.create("key", keyOf());
    let isBroken = false;
    ring = ringOf({
      version() {
        if (isBroken) throw broken;
        return records.version();
      },
      get: (kind, of) => records.get(kind, of),
    });
    expect(found(ring)?.key.id).toBe(id);
    isBroken = true;
    expect(found(ring)?.key.id).toBe(id);
    expect(() => ring.find("sk-other")).toThrow(expect.objectContaining(away));
    isBroken = false;
    expect(found(ring, "sk-other")).toBeUndefined();
  });
});
