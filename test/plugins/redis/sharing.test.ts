import { describe, expect, test } from "vitest";

import type { CachedReply } from "../../../sdk/cache.ts";
import type { Demand } from "../../../sdk/limits.ts";
import { useEngines } from "./engines.ts";

const engines = useEngines();
const reply: CachedReply = { storedAt: 1, head: "{}", body: Buffer.from("body") };
const leaseMs = 30_000;

function demands(key: string): readonly Demand[] {
  return [
    { kind: "window", key, amount: 1, limit: 1e6, windowMs: 60_000 },
    { kind: "slot", key, limit: 1000 },
    { kind: "budget", key: `${key} money`, amount: 5, limit: 1e9, period: "p", endsInMs: undefined, spent: 0 },
  ];
}

const keysThere = async (): Promise<readonly string[]> => engines.server.inspect(async (redis) => redis.keys("*"));

describe("what Redis holds", () => {
  test("does not grow by reservations that have ended", async () => {
    const [engine] = await engines.openTwo({ commandTimeoutMs: 10_000 });
    const { limits } = engine;
    for (let round = 0; round < 20; round += 1) {
      const ids = Array.from({ length: 500 }, (_, index) => `${round}-${index}`);
      await Promise.all(ids.map(async (id) => limits.reserve(id, demands("k"), leaseMs)));
      await Promise.all(ids.map(async (id, index) => (index % 2 === 0 ? limits.settle(id, [2, undefined, 3]) : limits.release(id))));
    }
    expect((await keysThere()).toSorted()).toEqual(["{ccproxy}:counter:k", "{ccproxy}:counter:k money"]);
    expect(await limits.read(["k", "k money"])).toMatchObject([{ used: 10_000 }, { used: 15_000 }]);
  });

  test("goes away by itself, all of it", async () => {
    const [{ limits, cache, routing }] = await engines.openTwo({ commandTimeoutMs: 5000 });
    await limits.reserve("held", demands("k"), leaseMs);
    await limits.renew(["held"], leaseMs);
    await limits.reserve("ends", [{ kind: "budget", key: "b", amount: 1, limit: 2, period: "p", endsInMs: 1000, spent: 0 }], leaseMs);
    await cache.put("k", reply, 1000);
    await routing.begin("a");
    await routing.begin("a");
    await routing.end("a", { outcome: "success", tokens: 1, latency: 1e-7, firstContent: 2 });
    await routing.fail("a", 1000);
    await routing.cool("a", { ms: 1000, reason: "429", status: 429 });
    await routing.bind("s", "a", 1000);
    const keys = await keysThere();
    expect(keys).toHaveLength(14);
    for (const key of keys) {
      expect(key).toMatch(/^\{ccproxy\}:/);
      expect(await engines.server.inspect(async (redis) => redis.pttl(key))).toBeGreaterThan(0);
    }
    expect((await routing.read(["a"]))[0]?.latencies[0]?.seconds).toBe(1e-7);
  });

  test("is kept as long as the longest lease of its slots", async () => {
    const [{ limits }] = await engines.openTwo();
    await limits.reserve("long", [{ kind: "slot", key: "k", limit: 2 }], 600_000);
    await limits.reserve("short", [{ kind: "slot", key: "k", limit: 2 }], 1000);
    expect(await engines.server.inspect(async (redis) => redis.pttl("{ccproxy}:slots:k"))).toBeGreaterThan(600_000);
  });

  test("forgets slots whose lease is over, and gives none of them back by a renewal", async () => {
    let time = Date.now();
    const [{ limits }] = await engines.openTwo({ wallClock: () => time, commandTimeoutMs: 5000 });
    const slot: Demand = { kind: "slot", key: "k", limit: 3 };
    for (const id of ["a", "b", "c"]) await limits.reserve(id, [slot], leaseMs);
    time += leaseMs;
    await limits.reserve("d", [slot], leaseMs);
    await limits.renew(["a", "b", "c", "d"], leaseMs);
    expect(await limits.read(["k"])).toMatchObject([{ used: 1 }]);
    expect(await engines.server.inspect(async (redis) => redis.zrange("{ccproxy}:slots:k", "0", "-1"))).toEqual(["d"]);
  });

  test("remembers a reservation that is renewed as long as its lease", async () => {
    const [{ limits }] = await engines.openTwo({ commandTimeoutMs: 5000 });
    await limits.reserve("r", demands("k"), 1000);
    await limits.renew(["r"], 100 * 3_600_000);
    for (const key of ["held:r", "slots:k"])
      expect(await engines.server.inspect(async (redis) => redis.pttl(`{ccproxy}:${key}`))).toBeGreaterThan(100 * 3_600_000);
  });

  test("is not seen from another namespace, nor cleared", async () => {
    await engines.server.flush();
    const namespaces = ["a", "ab", "a*", "[a]", "a?b", "a\\b", "a-b"];
    const opened = await Promise.all(namespaces.map(async (namespace) => engines.open({ namespace, commandTimeoutMs: 5000 })));
    for (const [index, { limits, cache, routing }] of opened.entries()) {
      await limits.reserve("same", [{ kind: "window", key: "k", amount: index + 1, limit: 100, windowMs: 60_000 }], leaseMs);
      await cache.put("k", { ...reply, head: String(index) }, 60_000);
      await routing.begin("a");
    }
    await engines.server.inspect(async (redis) => redis.set("somebody else's", "1"));
    for (const [index, { limits, cache, routing }] of opened.entries()) {
      expect(await limits.read(["k"])).toMatchObject([{ used: index + 1 }]);
      expect(await cache.get("k")).toMatchObject({ head: String(index) });
      expect(await cache.stats()).toEqual({ entries: 1, bytes: 5 });
      expect(await routing.read(["a"])).toMatchObject([{ inFlight: 1 }]);
    }
    const before = await keysThere();
    for (const [index, { cache }] of opened.entries()) {
      await cache.clear();
      expect(await keysThere()).toHaveLength(before.length - index - 1);
    }
    for (const { limits } of opened) expect((await limits.read(["k"]))[0]?.used).toBeGreaterThan(0);
    expect(await keysThere()).toContain("somebody else's");
  });

  test("is cleared and counted also when it is much", async () => {
    const [{ cache }] = await engines.openTwo({ commandTimeoutMs: 10_000 });
    await Promise.all(Array.from({ length: 5000 }, async (_, index) => cache.put(`k${index}`, reply, 60_000)));
    expect(await cache.stats()).toEqual({ entries: 5000, bytes: 30_000 });
    await cache.clear();
    expect(await keysThere()).toEqual([]);
  });

  test("is measured by the server's own clock", async () => {
    const [one, two] = await engines.openTwo({ commandTimeoutMs: 5000 });
    await one.limits.reserve("r", [{ kind: "window", key: "k", amount: 1, limit: 9, windowMs: 60_000 }], leaseMs);
    const [state] = await two.limits.read(["k"]);
    expect(state?.resetsInMs).toBeGreaterThan(0);
    expect(state?.resetsInMs).toBeLessThanOrEqual(60_000);
    const ends = await engines.server.inspect(async (redis) => redis.hget("{ccproxy}:counter:k", "ends"));
    const [seconds] = await engines.server.inspect(async (redis) => redis.time());
    expect(Math.abs(Number(ends) - 60_000 - Number(seconds) * 1000)).toBeLessThan(60_000);
  });

  test("counts exactly up to nine million dollars", async () => {
    const [{ limits }] = await engines.openTwo({ commandTimeoutMs: 5000 });
    const budget = { kind: "budget", key: "b", limit: 9e15, period: "p", endsInMs: undefined, spent: 8_999_999_999_999_990 } as const;
    expect(await limits.reserve("a", [{ ...budget, amount: 9 }], leaseMs)).toMatchObject({ states: [{ used: 8_999_999_999_999_999 }] });
    expect(await limits.reserve("b", [{ ...budget, amount: 2 }], leaseMs)).toMatchObject({ isGranted: false });
    expect(await limits.reserve("c", [{ ...budget, amount: 1 }], leaseMs)).toMatchObject({ states: [{ used: 9e15 }] });
    await limits.settle("c", [0]);
    await limits.settle("a", [8]);
    expect(await limits.read(["b"])).toMatchObject([{ used: 8_999_999_999_999_998 }]);
    await limits.add("b", "p", -8_000_000_000_000_001);
    expect(await limits.read(["b"])).toMatchObject([{ used: 999_999_999_999_997 }]);
  });

  test("refuses numbers that would spoil a counter", async () => {
    const [{ limits }] = await engines.openTwo();
    for (const amount of [Number.NaN, Number.POSITIVE_INFINITY, 1e16])
      await expect(
        (async () => limits.reserve("r", [{ kind: "window", key: "k", amount, limit: 9, windowMs: 1000 }], leaseMs))(),
      ).rejects.toThrow(RangeError);
    const unlimited = { kind: "window", key: "k", amount: 1, limit: Number.POSITIVE_INFINITY, windowMs: 1000 } as const;
    expect(await limits.reserve("r", [unlimited], leaseMs)).toMatchObject({ isGranted: true });
  });

  test("forgets what a process had under way that has vanished, and keeps what others have", async () => {
    let time = Date.now();
    const [gone, alive] = await engines.openTwo({ wallClock: () => time, commandTimeoutMs: 5000 });
    await gone.routing.begin("a");
    await alive.routing.begin("a");
    expect((await alive.routing.read(["a"]))[0]?.inFlight).toBe(2);
    time += 50 * 60_000;
    await alive.routing.begin("a");
    time += 10 * 60_000;
    expect((await alive.routing.read(["a"]))[0]?.inFlight).toBe(2);
    await alive.routing.end("a", { outcome: "success", tokens: 0, latency: undefined, firstContent: undefined });
    await alive.routing.end("a", { outcome: "success", tokens: 0, latency: undefined, firstContent: undefined });
    expect((await alive.routing.read(["a"]))[0]).toMatchObject({ inFlight: 0, successes: 2 });
  });

  test("shares cooldowns, failures and sessions", async () => {
    const [one, two] = await engines.openTwo({ commandTimeoutMs: 5000 });
    await one.routing.cool("d", { ms: 60_000, reason: "429 é", status: undefined });
    expect(await two.routing.cooldowns(["d"])).toMatchObject([{ reason: "429 é", status: undefined }]);
    await one.routing.fail("d", 60_000);
    expect(await two.routing.fail("d", 60_000)).toBe(2);
    await one.routing.bind("s", "d", 60_000);
    expect(await two.routing.bound("s")).toBe("d");
    await one.routing.cool("nan", { ms: Number.NaN, reason: "", status: 1 });
    expect(await two.routing.cooldowns(["nan"])).toEqual([undefined]);
  });
});
