/** What every `CacheStore` has to do, wherever it keeps replies. */

import { afterEach, beforeEach, describe, expect, test } from "vitest";

import type { CachedReply, CacheStore } from "../../sdk/cache.ts";

export interface CacheUnderTest {
  /** Empty, with room for 1,000 entries of a kilobyte. */
  readonly store: CacheStore;
  /** Lets all clocks of the store go on. */
  readonly advance: (ms: number) => void | Promise<void>;
}

function reply(text: string, more: Partial<CachedReply> = {}): CachedReply {
  return { storedAt: 1_795_392_000_000, head: JSON.stringify({ status: 200 }), body: Buffer.from(text), ...more };
}

export function describeCacheStore(name: string, create: () => Promise<CacheUnderTest>): void {
  describe(`${name} as a cache`, () => {
    let store: CacheStore;
    let advance: CacheUnderTest["advance"];

    beforeEach(async () => {
      ({ store, advance } = await create());
    });

    afterEach(() => store.close());

    const text = async (key: string): Promise<string | undefined> => {
      const found = await store.get(key);
      return found === undefined ? undefined : Buffer.from(found.body).toString();
    };

    test("gives back what was put, byte for byte", async () => {
      const bytes = Buffer.from(Array.from({ length: 256 }, (_, index) => index));
      const put = reply("", { body: bytes, head: '{"é":"😀"}', storedAt: 1_795_392_000_123 });
      await store.put("k", put, 1000);
      const found = await store.get("k");
      expect(found).toMatchObject({ storedAt: put.storedAt, head: put.head });
      expect(Buffer.from(found?.body ?? []).equals(bytes)).toBe(true);
    });

    test("gives back an empty body, and a megabyte", async () => {
      await store.put("empty", reply(""), 1000);
      expect(await text("empty")).toBe("");
      await store.put("big", reply("é".repeat(250_000)), 1000);
      expect((await text("big"))?.length).toBe(250_000);
    });

    test("knows nothing of what was not put", async () => {
      await store.put("k", reply("1"), 1000);
      expect(await store.get("K")).toBeUndefined();
      expect(await store.get("")).toBeUndefined();
    });

    test("forgets when its time is over, and not before", async () => {
      await store.put("k", reply("1"), 5000);
      await advance(4000);
      expect(await text("k")).toBe("1");
      await advance(1001);
      expect(await store.get("k")).toBeUndefined();
    });

    test("what is put again takes the place of what was there, and its own time", async () => {
      await store.put("k", reply("1"), 2000);
      await store.put("k", reply("2"), 60_000);
      await advance(10_000);
      expect(await text("k")).toBe("2");
      expect((await store.stats()).entries).toBe(1);
    });

    test("what the caller does to its bytes afterwards changes nothing", async () => {
      const body = Buffer.from("before");
      await store.put("k", reply("", { body }), 1000);
      body.fill(0);
      expect(await text("k")).toBe("before");
    });

    test("deletes what it is told, and says how much that was", async () => {
      for (const key of ["a", "b", "c"]) await store.put(key, reply(key), 60_000);
      expect(await store.delete(["a", "c", "nobody"])).toBe(2);
      expect(await store.delete([])).toBe(0);
      expect([await text("a"), await text("b"), await text("c")]).toEqual([undefined, "b", undefined]);
    });

    test("clears everything of its own", async () => {
      for (const key of ["a", "b:c", "{d}*"]) await store.put(key, reply(key), 60_000);
      await store.clear();
      expect([await text("a"), await text("b:c"), await text("{d}*")]).toEqual([undefined, undefined, undefined]);
      expect(await store.stats()).toMatchObject({ entries: 0 });
    });

    test("counts entries and bytes", async () => {
      expect(await store.stats()).toEqual({ entries: 0, bytes: 0 });
      await store.put("a", reply("12345", { head: "{}" }), 60_000);
      await store.put("b", reply("1", { head: "{}" }), 60_000);
      const stats = await store.stats();
      expect(stats.entries).toBe(2);
      expect(stats.bytes).toBeGreaterThanOrEqual(10);
    });
  });
}
