import { EventEmitter, once } from "node:events";

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";

import { createMemoryRoutingStore } from "../../../core/routing/memory-store.ts";
import { type GuardedRouting, type RoutingGuardOptions, guardRouting } from "../../../core/stores/guarded-routing.ts";
import { type RedisEngine, openRedis } from "../../../plugins/redis/index.ts";
import type { AttemptEnd, Cooldown } from "../../../sdk/routing-store.ts";
import { describeRoutingStore } from "../../contracts/routing-store.ts";
import { type RedisServer, startRedis } from "../../servers/redis.ts";

const success: AttemptEnd = { outcome: "success", tokens: 10, latency: 0.5, firstContent: undefined };
const minutes = 60_000;
const limited: Cooldown = { ms: 10 * minutes, reason: "429", status: 429 };
const nobody = undefined;

let server: RedisServer;

beforeAll(async () => {
  server = await startRedis();
});
afterAll(async () => server[Symbol.asyncDispose]());

/** At the beginning of a minute. */
function clock(): { readonly now: () => number; readonly advance: (ms: number) => void } {
  let time = Math.ceil(Date.now() / minutes) * minutes;
  return {
    now: () => time,
    advance: (ms) => {
      time += ms;
    },
  };
}

describeRoutingStore("a guard of a routing store that is there", async () => {
  const { now, advance } = clock();
  await server.flush();
  const engine = await openRedis({ url: server.url, wallClock: now, commandTimeoutMs: 5000 });
  const local = createMemoryRoutingStore({ now, wallClock: now });
  const store = guardRouting(engine.routing, local, { onChange: () => undefined });
  const close = async (): Promise<void> => {
    expect(store).toMatchObject({ isAway: false, waiting: 0 });
    await store.close();
    await engine.close();
  };
  return { store: { ...store, close }, advance };
});

describeRoutingStore("a guard of a routing store that is away", async () => {
  const { now, advance } = clock();
  // Nobody listens at the first port of all.
  const engine = await openRedis({ port: 1, mayBeAway: true });
  const store = guardRouting(engine.routing, createMemoryRoutingStore({ now, wallClock: now }), { onChange: () => undefined });
  const close = async (): Promise<void> => {
    await store.close();
    await engine.close();
  };
  return { store: { ...store, close }, advance };
});

describe("guarded routing", () => {
  const changes = new EventEmitter();
  let told: boolean[] = [];
  let engine: RedisEngine;
  /** Of another process, which has no guard. */
  let other: RedisEngine;
  let guards: GuardedRouting[] = [];

  beforeEach(async () => {
    await server.flush();
    engine = await openRedis({ url: server.url, commandTimeoutMs: 150 });
    other = await openRedis({ url: server.url, commandTimeoutMs: 5000 });
    told = [];
  });
  afterEach(async () => {
    await Promise.all(guards.map(async (guarded) => guarded.close()));
    guards = [];
    await Promise.all([engine.close(), other.close()]);
  });

  function guard(more: Partial<RoutingGuardOptions> = {}): GuardedRouting {
    const local = createMemoryRoutingStore({ now: performance.now.bind(performance), wallClock: Date.now });
    const guarded = guardRouting(engine.routing, local, {
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

  const goAway = async (routing: GuardedRouting): Promise<void> => {
    for (let tries = 0; tries < 5; tries += 1) await routing.read(["x"]);
  };

  const arrive = async (routing: GuardedRouting): Promise<void> => {
    await vi.waitFor(() => expect(routing.waiting).toBe(0), { timeout: 5000 });
  };

  /** What another process sees under way. */
  async function flying(id: string): Promise<number | undefined> {
    const states = await vi.waitFor(async () => other.routing.read([id]), { timeout: 5000 });
    return states[0]?.inFlight;
  }

  async function cooled(routing: { readonly cooldowns: GuardedRouting["cooldowns"] }, key: string): Promise<string | undefined> {
    const found = await routing.cooldowns([key]);
    return found[0]?.reason;
  }

  /** Every method once, in an order that makes sense. */
  function callsOf(routing: GuardedRouting): readonly (() => unknown)[] {
    return [
      () => routing.begin("a"),
      () => routing.read(["a", "b"]),
      () => routing.end("a", success),
      () => routing.fail("a", minutes),
      () => routing.forgive("a"),
      () => routing.cool("a", limited),
      () => routing.cooldowns(["a"]),
      () => routing.warm("a"),
      () => routing.bind("s", "a", minutes),
      () => routing.bound("s"),
    ];
  }

  test("shares everything with other processes while the server is there", async () => {
    const routing = guard();
    await routing.begin("a");
    await routing.cool("a", limited);
    await routing.bind("s", "a", minutes);
    await other.routing.bind("t", "b", minutes);
    expect(await flying("a")).toBe(1);
    expect(await cooled(other.routing, "a")).toBe("429");
    expect(await other.routing.bound("s")).toBe("a");
    expect(await routing.bound("t")).toBe("b");
    await other.routing.warm("a");
    expect(await cooled(routing, "a")).toBe(nobody);
  });

  test("answers every call while the server is killed and started, and tells of each change once", async () => {
    const routing = guard();
    for (let round = 0; round < 2; round += 1) {
      for (const call of callsOf(routing)) await call();
      await until("away", async () => {
        await server.stop();
        for (const call of callsOf(routing)) await call();
      });
      expect(routing.isAway).toBe(true);
      await routing.begin("a");
      expect(await routing.read(["a"])).toMatchObject([{ inFlight: 1 }]);
      await routing.end("a", success);
      await routing.bind("s", "elsewhere", minutes);
      expect(await routing.bound("s")).toBe("elsewhere");
      expect([await routing.fail("b", minutes), await routing.fail("b", minutes)]).toEqual([1 + 2 * round, 2 + 2 * round]);
      await until("back", async () => server.restart());
      expect(routing.isAway).toBe(false);
    }
    expect(told).toEqual([true, false, true, false]);
  });

  test("stays away as long as the server does", async () => {
    const routing = guard();
    let probes = 0;
    const { routing: asked } = engine;
    const counting = guardRouting(
      {
        ...asked,
        read(ids) {
          probes += 1;
          if (probes === 9) changes.emit("looked");
          return asked.read(ids);
        },
      },
      createMemoryRoutingStore({ now: performance.now.bind(performance), wallClock: Date.now }),
      { retryMs: 5, onChange: (isAway) => told.push(isAway) },
    );
    guards.push(counting);
    await server.stop();
    const looked = once(changes, "looked");
    await goAway(counting);
    await looked;
    expect(told).toEqual([true]);
    expect(counting.isAway).toBe(true);
    await server.restart();
    await vi.waitFor(() => expect(told).toEqual([true, false]), { timeout: 10_000 });
    expect(routing.isAway).toBe(false);
  });

  test("asks a server that answers nobody no more than five times", async () => {
    const routing = guard({ retryMs: 60_000 });
    const asked = vi.spyOn(engine.routing, "read");
    const goOn = server.pause();
    await until("away", async () => goAway(routing));
    expect(asked).toHaveBeenCalledTimes(5);
    for (const call of callsOf(routing)) await call();
    expect(asked).toHaveBeenCalledTimes(5);
    goOn();
  });

  test("attempts end where they began", async () => {
    const routing = guard();
    await routing.begin("a");
    const goOn = server.pause();
    await until("away", async () => goAway(routing));
    await routing.begin("a");
    await routing.begin("a");
    await routing.end("a", success);
    expect(await routing.read(["a"])).toMatchObject([{ inFlight: 1, successes: 1 }]);
    await until("back", goOn);
    expect(await flying("a")).toBe(1);
    await routing.end("a", success);
    expect(await flying("a")).toBe(1);
    await routing.end("a", success);
    expect(await flying("a")).toBe(0);
    // Nothing is left behind for the next time.
    await server.stop();
    await until("away", async () => goAway(routing));
    expect(await routing.read(["a"])).toMatchObject([{ inFlight: 0 }]);
    await server.restart();
  });

  test("an end that the server did not take follows when it is back, and speaks for nothing", async () => {
    const routing = guard();
    for (const id of ["a", "a", "b"]) await routing.begin(id);
    const goOn = server.pause();
    await routing.end("a", success);
    await until("away", async () => goAway(routing));
    await routing.end("a", success);
    await routing.end("b", success);
    expect(routing.waiting).toBe(3);
    await until("back", goOn);
    await arrive(routing);
    const [a, b] = await other.routing.read(["a", "b"]);
    expect(b).toMatchObject({ inFlight: 0, successes: 0, tokens: 0, latencies: [] });
    expect(a).toMatchObject({ inFlight: 0 });
  });

  test("a beginning whose answer was lost leaves nothing under way", async () => {
    const routing = guard();
    const goOn = server.pause();
    await routing.begin("a");
    goOn();
    await arrive(routing);
    // It was counted there, indeed.
    expect(await other.routing.read(["a"])).toMatchObject([{ inFlight: 0, requests: 1 }]);
    await routing.end("a", success);
    expect(await flying("a")).toBe(0);
  });

  test("what this process put out of use and bound itself outlives the server, going and coming back empty", async () => {
    const routing = guard();
    await routing.cool("before", limited);
    await routing.bind("s", "a", minutes);
    await until("away", async () => {
      await server.stop();
      await goAway(routing);
    });
    expect(await cooled(routing, "before")).toBe("429");
    expect(await routing.bound("s")).toBe("a");
    await routing.cool("meanwhile", { ...limited, reason: "503" });
    await routing.cool("warmed", limited);
    await routing.warm("warmed");
    await until("back", async () => server.restart());
    await arrive(routing);
    expect(await routing.bound("s")).toBe("a");
    const [left] = await vi.waitFor(async () => other.routing.cooldowns(["meanwhile"]), { timeout: 5000 });
    expect(left).toMatchObject({ reason: "503", status: 429 });
    expect(left?.ms).toBeLessThanOrEqual(limited.ms);
    expect(await cooled(other.routing, "warmed")).toBe(nobody);
  });

  test("another process's binding counts before its own", async () => {
    const routing = guard();
    await routing.bind("s", "a", minutes);
    await other.routing.bind("s", "b", minutes);
    expect(await routing.bound("s")).toBe("b");
  });

  test("what waits is bounded", async () => {
    const routing = guard({ maxWaiting: 2, retryMs: 60_000 });
    for (let each = 0; each < 4; each += 1) await routing.begin("a");
    await until("away", async () => {
      await server.stop();
      await goAway(routing);
    });
    for (let each = 0; each < 4; each += 1) await routing.end("a", success);
    expect(routing.waiting).toBe(2);
    await server.restart();
  });
});
