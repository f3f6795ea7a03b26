/** What every `KeyStore` has to do, wherever it writes. */

import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { type Budget, type KeyStore, type Team, type User, type VirtualKey, TakenError } from "../../sdk/keys.ts";

export interface KeysUnderTest {
  /** Empty. */
  readonly store: KeyStore;
  /** Another one over the same records, as another process has it; undefined where records belong to one process. */
  readonly other?: KeyStore | undefined;
}

const owned = {
  models: ["opus", "anthropic/*"],
  metadata: { é: [1, null, "'; --"] },
  tags: ["x"],
  isBlocked: false,
  createdAt: 1000,
  updatedAt: 1000,
};

function key(id: string, more: Partial<VirtualKey> = {}): VirtualKey {
  return { ...owned, id, name: `sk-...${id}`, aliases: { fast: "haiku" }, allowedRoutes: [], allowedAddresses: ["10.0.0.0/8"], ...more };
}

const fullKey = key("full", {
  alias: "alias of full",
  userId: "u",
  teamId: "t",
  budgetId: "b",
  maxBudget: 5_000_000_000_000_000,
  softBudget: 1,
  budgetDuration: "30d",
  budgetLimits: [{ duration: "24h", max: 10 }],
  rpm: 60,
  tpm: 100_000,
  maxParallelRequests: 3,
  modelMaxBudget: { opus: { duration: "1mo", max: 7 } },
  modelRpm: { opus: 1 },
  modelTpm: { opus: 2 },
  allowedCacheControls: ["no-cache"],
  expiresAt: 1_795_392_000_000,
  createdBy: "admin",
});
const user: User = { ...owned, id: "u", alias: "Ada", email: "ada@example.com", role: "internal_user", maxBudget: 9 };
const team: Team = {
  ...owned,
  id: "t",
  alias: "Core",
  members: [
    { userId: "u", role: "admin", maxBudget: 4 },
    { userId: "v", role: "user" },
  ],
};
const budget: Budget = { id: "b", maxBudget: 3, budgetDuration: "7d", rpm: 2, createdAt: 5, updatedAt: 6 };
const page = { limit: 100, offset: 0 };

export function describeKeyStore(name: string, create: () => Promise<KeysUnderTest>): void {
  describe(`${name} as a key store`, () => {
    let store: KeyStore;
    let other: KeyStore | undefined;

    beforeEach(async () => {
      ({ store, other } = await create());
    });

    afterEach(async () => {
      await other?.close();
      await store.close();
    });

    test("gives back each kind as it was created, and nothing that is not there", async () => {
      await store.create("key", fullKey);
      await store.create("key", key("bare"));
      await store.create("user", user);
      await store.create("team", team);
      await store.create("budget", budget);
      expect(await store.get("key", "full")).toEqual(fullKey);
      expect(await store.get("key", "bare")).toEqual(key("bare"));
      expect(await store.get("user", "u")).toEqual(user);
      expect(await store.get("team", "t")).toEqual(team);
      expect(await store.get("budget", "b")).toEqual(budget);
      expect(await store.get("key", "u")).toBeUndefined();
      expect(await store.get("key", "FULL")).toBeUndefined();
      expect(await store.get("user", "' OR 1=1 --")).toBeUndefined();
    });

    test("takes no id twice, and no alias of a key", async () => {
      await store.create("key", fullKey);
      await expect((async () => store.create("key", key("full")))()).rejects.toMatchObject({ name: "TakenError", field: "id" });
      await expect((async () => store.create("key", key("k", { alias: "alias of full" })))()).rejects.toMatchObject({ field: "alias" });
      await expect((async () => store.create("key", key("k", { alias: "alias of full" })))()).rejects.toBeInstanceOf(TakenError);
      expect(await store.get("key", "full")).toEqual(fullKey);
      expect(await store.get("key", "k")).toBeUndefined();
      // Aliases of people and teams are for people; kinds are apart.
      await store.create("user", { ...user, id: "full" });
      await store.create("user", { ...user, id: "w" });
    });

    test("updates what is there, and only with what the change gives", async () => {
      await store.create("key", fullKey);
      const changed = await store.update("key", "full", (record) => ({
        ...record,
        isBlocked: true,
        maxBudget: undefined,
        updatedAt: 2000,
      }));
      const { maxBudget: _, ...rest } = fullKey;
      expect(changed).toMatchObject({ isBlocked: true });
      expect(await store.get("key", "full")).toEqual({ ...rest, isBlocked: true, updatedAt: 2000 });
      expect(await store.update("key", "nobody", (record) => record)).toBeUndefined();
    });

    test("changes nothing when the change throws, or takes what is another's", async () => {
      await store.create("key", fullKey);
      await store.create("key", key("k"));
      const refused = new Error("refused");
      await expect(
        (async () =>
          store.update("key", "full", () => {
            throw refused;
          }))(),
      ).rejects.toBe(refused);
      await expect((async () => store.update("key", "k", (record) => ({ ...record, alias: "alias of full" })))()).rejects.toMatchObject({
        field: "alias",
      });
      expect(await store.get("key", "full")).toEqual(fullKey);
      expect(await store.get("key", "k")).toEqual(key("k"));
      await store.update("key", "k", (record) => ({ ...record, alias: "its own" }));
    });

    test("loses none of many updates at once", async () => {
      await store.create("user", { ...user, rpm: 0 });
      const stores = other === undefined ? [store] : [store, other];
      await Promise.all(
        Array.from({ length: 40 }, async (_, index) =>
          stores[index % stores.length]?.update("user", "u", (record) => ({ ...record, rpm: (record.rpm ?? 0) + 1 })),
        ),
      );
      expect((await store.get("user", "u"))?.rpm).toBe(40);
    });

    test("deletes, and says what was there; its alias is free again", async () => {
      await store.create("key", fullKey);
      await store.create("key", key("k"));
      expect([...(await store.delete("key", ["full", "nobody", "k"]))].toSorted()).toEqual(["full", "k"]);
      expect(await store.delete("key", [])).toEqual([]);
      expect(await store.get("key", "full")).toBeUndefined();
      await store.create("key", key("n", { alias: "alias of full" }));
    });

    test("rotates a key: the new secret opens what the old one did, and the old one nothing", async () => {
      await store.create("key", fullKey);
      await store.create("key", key("taken"));
      const rotated = await store.rotate("full", { id: "new", name: "sk-...new", updatedAt: 3000 });
      expect(rotated).toEqual({ ...fullKey, id: "new", name: "sk-...new", updatedAt: 3000 });
      expect(await store.get("key", "full")).toBeUndefined();
      expect(await store.get("key", "new")).toEqual(rotated);
      expect(await store.rotate("full", { id: "newer", name: "x", updatedAt: 1 })).toBeUndefined();
      await expect((async () => store.rotate("new", { id: "taken", name: "x", updatedAt: 1 }))()).rejects.toMatchObject({ field: "id" });
      expect(await store.get("key", "new")).toEqual(rotated);
    });

    test("lists newest first, page by page, with how many there are", async () => {
      for (const [id, createdAt] of [
        ["a", 1],
        ["c", 3],
        ["b", 3],
        ["d", 2],
      ] as const)
        await store.create("key", key(id, { createdAt }));
      const ids = async (limit: number, offset: number): Promise<unknown> => {
        const { records, total } = await store.list("key", { limit, offset });
        return [records.map(({ id }) => id), total];
      };
      expect(await ids(3, 0)).toEqual([["c", "b", "d"], 4]);
      expect(await ids(3, 3)).toEqual([["a"], 4]);
      expect(await ids(3, 9)).toEqual([[], 4]);
      expect(await store.list("team", page)).toEqual({ records: [], total: 0 });
    });

    test("lists keys by whose they are", async () => {
      await store.create("key", fullKey);
      await store.create("key", key("k", { userId: "u", createdAt: 2000 }));
      await store.create("key", key("l", { teamId: "t2", createdAt: 3000 }));
      const ids = async (filter: Parameters<KeyStore["list"]>[2]): Promise<readonly string[]> =>
        (await store.list("key", page, filter)).records.map(({ id }) => id);
      expect(await ids({ userId: "u" })).toEqual(["k", "full"]);
      expect(await ids({ userId: "u", teamId: "t" })).toEqual(["full"]);
      expect(await ids({ alias: "alias of full" })).toEqual(["full"]);
      expect(await ids({ teamId: "nobody" })).toEqual([]);
    });

    test("has another version after every change, and the same one without", async () => {
      const seen = new Set<string>();
      const isNew = async (): Promise<boolean> => {
        const version = await (other ?? store).version();
        const known = seen.has(version);
        seen.add(version);
        return !known;
      };
      expect(await isNew()).toBe(true);
      await store.get("key", "full");
      expect(await isNew()).toBe(false);
      await store.create("key", fullKey);
      expect(await isNew()).toBe(true);
      await store.update("key", "full", (record) => ({ ...record, isBlocked: true }));
      expect(await isNew()).toBe(true);
      await store.rotate("full", { id: "new", name: "n", updatedAt: 1 });
      expect(await isNew()).toBe(true);
      await store.delete("key", ["new"]);
      expect(await isNew()).toBe(true);
      await store.create("team", team);
      expect(await isNew()).toBe(true);
      expect(await isNew()).toBe(false);
    });
  });
}
