import { expect, test } from "vitest";

import { createMemoryCache } from "../../../plugins/memory/cache.ts";
import { describeCacheStore } from "../../contracts/cache-store.ts";

describeCacheStore("memory", async () => {
  let time = 1_795_392_000_000;
  return {
    store: createMemoryCache({ wallClock: () => time, maxBytes: 8 * 1024 * 1024 }),
    advance: (ms) => {
      time += ms;
    },
  };
});

const kilobyte = { storedAt: 0, head: "{}", body: new Uint8Array(1022) };

test("keeps within its bytes by forgetting what was used least recently", async () => {
  const cache = createMemoryCache({ wallClock: () => 0, maxBytes: 4000 });
  for (const key of ["a", "b", "c"]) await cache.put(key, kilobyte, 1000);
  await cache.get("a");
  await cache.put("d", kilobyte, 1000);
  expect(
    [await cache.get("a"), await cache.get("b"), await cache.get("c"), await cache.get("d")].map((reply) => reply !== undefined),
  ).toEqual([true, false, true, true]);
  expect(await cache.stats()).toEqual({ entries: 3, bytes: 3072 });
});

test("what is put again weighs once", async () => {
  const cache = createMemoryCache({ wallClock: () => 0, maxBytes: 4000 });
  await cache.put("a", kilobyte, 1000);
  for (let count = 0; count < 10; count++) await cache.put("b", kilobyte, 1000);
  expect(await cache.stats()).toEqual({ entries: 2, bytes: 2048 });
  expect(await cache.get("a")).toBeDefined();
});

test("does not keep what is larger than all of its room, nor what was there before it", async () => {
  const cache = createMemoryCache({ wallClock: () => 0, maxBytes: 4000 });
  for (const key of ["a", "b"]) await cache.put(key, kilobyte, 1000);
  await cache.put("a", { ...kilobyte, body: new Uint8Array(5000) }, 1000);
  expect(await cache.get("a")).toBeUndefined();
  expect(await cache.get("b")).toBeDefined();
});

test("very many empty replies are bounded, too", async () => {
  const cache = createMemoryCache({ wallClock: () => 0, maxBytes: 100_000 });
  for (let number = 0; number < 5000; number++) await cache.put(String(number), { storedAt: 0, head: "", body: new Uint8Array() }, 1000);
  expect((await cache.stats()).entries).toBeLessThan(400);
});

test("what is over is not counted", async () => {
  let time = 0;
  const cache = createMemoryCache({ wallClock: () => time, maxBytes: 4000 });
  await cache.put("a", kilobyte, 1000);
  time = 1000;
  expect(await cache.delete(["a"])).toBe(0);
  await cache.put("b", kilobyte, 1000);
  time = 2000;
  expect(await cache.stats()).toEqual({ entries: 0, bytes: 0 });
});
