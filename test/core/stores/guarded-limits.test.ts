import { EventEmitter, once } from "node:events";

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";

import { type GuardOptions, type GuardedLimits, LimitsAwayError, guardLimits } from "../../../core/stores/guarded-limits.ts";
import { createMemoryLimits } from "../../../plugins/memory/limits.ts";
import { type RedisEngine, openRedis } from "../../../plugins/redis/index.ts";
import type { BudgetDemand, SlotDemand, WindowDemand } from "../../../sdk/limits.ts";
import { describeLimitStore } from "../../contracts/limit-store.ts";
import { type RedisServer, startRedis } from "../../servers/redis.ts";

const password = "a-password-of-tests";
const leaseMs = 30_000;

const rpm = (amount: number, limit = 10): WindowDemand => ({ kind: "window", key: "rpm", amount, limit, windowMs: 60_000 });
const slot = (limit = 10): SlotDemand => ({ kind: "slot", key: "slots", limit });
const budget = (amount: number): BudgetDemand => ({
  kind: "budget",
  key: "budget",
  amount,
  limit: 1000,
  period: "p1",
  endsInMs: undefined,
  spent: 0,
});

let server: RedisServer;

beforeAll(async () => {
  server = await startRedis({ password });
});
afterAll(async () => server[Symbol.asyncDispose]());

function memoryUnderTest(): { readonly now: () => number; readonly advance: (ms: number) => void } {
  let time = 0;
  return {
    now: () => time,
    advance: (ms) => {
      time += ms;
    },
  };
}

describeLimitStore("a guard of limits that are there", async () => {
  const { now, advance } = memoryUnderTest();
  const store = guardLimits(createMemoryLimits(now), createMemoryLimits(now), { policy: "fail_closed", onChange: () => undefined });
  return { store, advance };
});

describeLimitStore("a guard of limits that are away, failing open", async () => {
  const { now, advance } = memoryUnderTest();
  // Nobody listens at the first port of all.
  const nobody = await openRedis({ port: 1, mayBeAway: true });
  const store = guardLimits({ ...nobody.limits, close: async () => nobody.close() }, createMemoryLimits(now), {
    policy: "fail_open",
    onChange: () => undefined,
  });
  // An administrator has to know when a reset did not arrive; here counts what it did to local counters.
  const reset: GuardedLimits["reset"] = async (keys) => expect(store.reset(keys)).rejects.toThrow(LimitsAwayError);
  return { store: { ...store, reset }, advance };
});

describe("guarded limits", () => {
  const changes = new EventEmitter();
  let told: boolean[] = [];
  let engine: RedisEngine;
  /** Of another process, which has no guard. */
  let other: RedisEngine;
  let guards: GuardedLimits[] = [];

  beforeEach(async () => {
    await server.flush();
    engine = await openRedis({ url: server.url, commandTimeoutMs: 150 });
    other = await openRedis({ url: server.url, commandTimeoutMs: 5000 });
    told = [];
  });
  afterEach(async () => {
    await Promise.all(guards.map(async (guard) => guard.close()));
    guards = [];
    await Promise.all([engine.close(), other.close()]);
  });

  function guard(policy: GuardOptions["policy"], more: Partial<GuardOptions> = {}): GuardedLimits {
    const guarded = guardLimits(engine.limits, createMemoryLimits(performance.now.bind(performance)), {
      policy,
      retryMs: 20,
      onChange(isAway) {
        told.push(isAway);
        changes.emit(isAway ? "away" : "back");
      },
      ...more,
    });
    guards.push(guarded);
    return guarded;
  }

  async function until(change: "away" | "back", action: () => unknown): Promise<void> {
    const changed = once(changes, change);
    await action();
    await changed;
  }

  async function usedThere(key: string): Promise<number | undefined> {
    const states = await vi.waitFor(async () => other.limits.read([key]), { timeout: 5000 });
    return states[0]?.used;
  }

  const goAway = async (limits: GuardedLimits): Promise<void> => {
    for (let tries = 0; tries < 5; tries += 1) await limits.read(["x"]).catch(() => undefined);
  };

  test("count on the server while it is there", async () => {
    const limits = guard("fail_open");
    await limits.reserve("a", [rpm(4), slot(), budget(9)], leaseMs);
    await limits.settle("a", [5, undefined, 3]);
    expect(await other.limits.read(["rpm", "slots", "budget"])).toMatchObject([{ used: 5 }, { used: 0 }, { used: 3 }]);
    expect(limits).toMatchObject({ isAway: false, waiting: 0, dropped: 0 });
  });

  test("are away behind five failures in a row, not before", async () => {
    const limits = guard("fail_closed");
    const goOn = server.pause();
    for (let tries = 0; tries < 4; tries += 1) await expect(limits.read(["x"])).rejects.toThrow(LimitsAwayError);
    goOn();
    await server.inspect(async (redis) => redis.ping());
    await limits.read(["x"]);
    await server.stop();
    for (let tries = 0; tries < 4; tries += 1) await expect(limits.read(["x"])).rejects.toThrow(LimitsAwayError);
    expect(told).toEqual([]);
    await until("away", async () => expect(limits.read(["x"])).rejects.toThrow(LimitsAwayError));
    await until("back", async () => server.restart());
    // And five again.
    await server.stop();
    for (let tries = 0; tries < 4; tries += 1) await expect(limits.read(["x"])).rejects.toThrow(LimitsAwayError);
    expect(told).toEqual([true, false]);
    await server.restart();
  });

  test("tell once that they are away, however many have noticed", async () => {
    const limits = guard("fail_open");
    const goOn = server.pause();
    await Promise.all(Array.from({ length: 12 }, async () => limits.read(["x"])));
    expect(told).toEqual([true]);
    await until("back", goOn);
    expect(told).toEqual([true, false]);
  });

  test("failing open, hold locally while the server is away, and there again when it is back", async () => {
    const limits = guard("fail_open");
    await limits.reserve("before", [rpm(10)], leaseMs);
    await server.stop();
    // Each process has the whole limit.
    expect(await limits.reserve("first", [rpm(8), slot()], leaseMs)).toMatchObject({ isGranted: true, states: [{ used: 8 }, { used: 1 }] });
    expect(await limits.reserve("second", [rpm(8)], leaseMs)).toMatchObject({ isGranted: false, state: { used: 8 } });
    await limits.settle("before", [3]);
    await until("away", async () => goAway(limits));
    expect(await limits.reserve("third", [rpm(2)], leaseMs)).toMatchObject({ isGranted: true, states: [{ used: 10 }] });
    await limits.release("third");
    expect(await limits.read(["rpm"])).toMatchObject([{ used: 8 }]);
    await until("back", async () => server.restart());
    expect(await limits.reserve("fourth", [rpm(6), slot()], leaseMs)).toMatchObject({
      isGranted: true,
      states: [{ used: 6 }, { used: 1 }],
    });
    expect(await limits.reserve("first", [rpm(8), slot()], leaseMs)).toMatchObject({ isGranted: true, states: [{ used: 8 }, { used: 1 }] });
    // What was made here ends here.
    await limits.settle("first", [1, undefined]);
    expect(await usedThere("rpm")).toBe(6);
    expect(await usedThere("slots")).toBe(1);
    expect(told).toEqual([true, false]);
  });

  test("failing closed, let nothing in while the server is away, and say why without the password", async () => {
    const limits = guard("fail_closed");
    await server.stop();
    for (let tries = 0; tries < 7; tries += 1) {
      const error = await limits.reserve(`r${tries}`, [rpm(1)], leaseMs).catch((error: unknown) => error);
      expect(error).toBeInstanceOf(LimitsAwayError);
      const { message, cause } = error as LimitsAwayError;
      expect((cause as Error).message).toMatch(/^Redis \(127\.0\.0\.1:\d+\) cannot be reached: /);
      expect(`${message} ${String(cause)}`).not.toContain(password);
    }
    expect(limits.isAway).toBe(true);
    await until("back", async () => server.restart());
    expect(await limits.reserve("again", [rpm(10)], leaseMs)).toMatchObject({ isGranted: true });
  });

  test.each(["fail_open", "fail_closed"] as const)("%s: ends that the server did not take follow when it is back", async (policy) => {
    const limits = guard(policy);
    await limits.reserve("settled", [rpm(4), slot(), budget(50)], leaseMs);
    await limits.reserve("released", [slot(), budget(50)], leaseMs);
    await limits.reserve("late", [slot(), budget(50)], leaseMs);
    const goOn = server.pause();
    await limits.settle("settled", [1, undefined, 7]);
    await limits.release("released");
    await until("away", async () => goAway(limits));
    await limits.settle("late", [undefined, 5]);
    // Only the first end counts.
    await limits.settle("late", [undefined, 500]);
    await limits.renew(["late"], leaseMs);
    await limits.add("budget", "p1", 100);
    expect(limits.waiting).toBe(4);
    await until("back", goOn);
    await vi.waitFor(() => expect(limits.waiting).toBe(0));
    expect(await other.limits.read(["rpm", "slots", "budget"])).toMatchObject([{ used: 1 }, { used: 0 }, { used: 112 }]);
    expect(limits.dropped).toBe(0);
  });

  test("a reservation whose answer was lost is given back", async () => {
    const limits = guard("fail_open");
    const goOn = server.pause();
    await limits.reserve("lost", [slot(1), budget(50)], leaseMs);
    expect(limits.waiting).toBe(1);
    goOn();
    await vi.waitFor(() => expect(limits.waiting).toBe(0));
    // It was taken there, indeed.
    expect(await other.limits.read(["slots", "budget"])).toMatchObject([{ used: 0 }, { used: 0, resetsInMs: undefined }]);
    expect(await server.inspect(async (redis) => redis.exists("{ccproxy}:counter:budget"))).toBe(1);
  });

  test("a reservation that is asked for again, with success, is not given back", async () => {
    const limits = guard("fail_closed", { retryMs: 60_000 });
    const goOn = server.pause();
    await expect(limits.reserve("again", [slot()], leaseMs)).rejects.toThrow(LimitsAwayError);
    expect(limits.waiting).toBe(1);
    goOn();
    await server.inspect(async (redis) => redis.ping());
    await limits.reserve("again", [slot()], leaseMs);
    expect(limits.waiting).toBe(0);
    expect(await usedThere("slots")).toBe(1);
  });

  test("what may have been booked is not booked again, and is counted", async () => {
    const limits = guard("fail_open");
    await limits.reserve("r", [budget(1)], leaseMs);
    const goOn = server.pause();
    await limits.add("budget", "p1", 7);
    expect(limits).toMatchObject({ waiting: 0, dropped: 1 });
    goOn();
    await server.inspect(async (redis) => redis.ping());
    expect(await usedThere("budget")).toBe(8);
  });

  test("what waits is bounded, and what is given up is counted", async () => {
    const limits = guard("fail_closed", { maxWaiting: 2 });
    for (const id of ["a", "b", "c"]) await limits.reserve(id, [slot()], leaseMs);
    const goOn = server.pause();
    await until("away", async () => goAway(limits));
    for (const id of ["a", "b", "c"]) await limits.release(id);
    expect(limits).toMatchObject({ waiting: 2, dropped: 1 });
    await until("back", goOn);
    await vi.waitFor(() => expect(limits.waiting).toBe(0));
    expect(await usedThere("slots")).toBe(1);
  });

  test("what the server never takes is given up", async () => {
    const limits = guard("fail_open");
    await server.inspect(async (redis) => redis.lpush("{ccproxy}:held:bad", "no reservation"));
    await limits.release("bad");
    await vi.waitFor(() => expect(limits).toMatchObject({ waiting: 0, dropped: 1 }));
  });

  test("tell an administrator that a reset did not arrive", async () => {
    const limits = guard("fail_open");
    await server.stop();
    await expect(limits.reset(["rpm"])).rejects.toThrow(LimitsAwayError);
    await server.restart();
  });
});
