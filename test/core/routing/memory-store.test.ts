import { describe, expect, test } from "vitest";

import { type MemoryRoutingStore, createMemoryRoutingStore } from "../../../core/routing/memory-store.ts";
import type { AttemptEnd } from "../../../sdk/routing-store.ts";
import { describeRoutingStore } from "../../contracts/routing-store.ts";

interface Held {
  readonly store: MemoryRoutingStore;
  readonly advance: (ms: number) => void;
}

function create(maxSessions?: number): Held {
  // Beside each other, as they are in a process: one since its start, one since 1970.
  let ms = 0;
  const store = createMemoryRoutingStore({
    now: () => 5000 + ms,
    wallClock: () => 1_800_000_000_000 + ms,
    ...(maxSessions === undefined ? {} : { maxSessions }),
  });
  return { store, advance: (by) => void (ms += by) };
}

describeRoutingStore("the memory store", async () => create());

const ended: AttemptEnd = { outcome: "success", tokens: 1, latency: 1, firstContent: undefined };
const hourMs = 3_600_000;

describe("the memory store", () => {
  test("answers at once, without a promise", () => {
    const { store } = create();
    const answers = [
      store.read(["a"]),
      store.begin("a"),
      store.end("a", ended),
      store.fail("a", 1),
      store.forgive("a"),
      store.cool("a", { ms: 1, reason: "", status: undefined }),
      store.warm("a"),
      store.cooldowns(["a"]),
      store.bound("s"),
      store.bind("s", "a", 1),
    ];
    expect(answers.filter((answer) => answer instanceof Promise)).toEqual([]);
  });

  test("forgets the sessions that were bound longest ago when there are too many", () => {
    const { store } = create(3);
    for (const session of ["1", "2", "3"]) store.bind(session, "a", hourMs);
    store.bind("1", "a", hourMs);
    store.bind("4", "a", hourMs);
    expect(["1", "2", "3", "4"].map((session) => store.bound(session))).toEqual(["a", undefined, "a", "a"]);
    expect(store.size.sessions).toBe(3);
  });

  test("forgets sessions whose time is over as others come", () => {
    const { store, advance } = create();
    for (let each = 0; each < 100; each++) store.bind(`old ${each}`, "a", 1000);
    advance(1000);
    for (let each = 0; each < 60; each++) store.bind(`new ${each}`, "a", 1000);
    expect(store.size.sessions).toBe(60);
  });

  test("holds no more than it was told to, however many come, and however long they are to stay", () => {
    const { store, advance } = create(50);
    for (let each = 0; each < 1000; each++) {
      store.bind(`s ${each}`, "a", 1 + ((each * 7919) % 1000));
      advance(1);
    }
    expect(store.size.sessions).toBeLessThanOrEqual(50);
    store.bind("last", "b", 10);
    expect(store.bound("last")).toBe("b");
  });

  test("forgets counted failures and cooldowns that are over, without being asked for them", () => {
    const { store, advance } = create();
    for (let each = 0; each < 50; each++) {
      store.fail(`f ${each}`, 1000);
      store.cool(`deployment:${each}`, { ms: 1000, reason: "", status: undefined });
    }
    store.fail("lasting", hourMs);
    store.cool("account:lasting", { ms: hourMs, reason: "", status: undefined });
    advance(60_000);
    store.begin("a");
    expect(store.size).toMatchObject({ counters: 1, cooldowns: 1 });
  });

  test("forgets deployments that nobody used for a day, never those with an attempt under way", () => {
    const { store, advance } = create();
    store.begin("gone");
    store.end("gone", ended);
    store.begin("busy");
    advance(24 * hourMs - 1);
    store.begin("a");
    expect(store.size.deployments).toBe(3);
    advance(60_000);
    store.begin("a");
    expect(store.size.deployments).toBe(2);
    expect(store.read(["busy"])).toMatchObject([{ inFlight: 1 }]);
  });

  test("holds nothing after it was closed", async () => {
    const { store } = create();
    store.begin("a");
    store.fail("a", 1000);
    store.cool("a", { ms: 1000, reason: "", status: undefined });
    store.bind("s", "a", 1000);
    await store.close();
    expect(store.size).toEqual({ deployments: 0, counters: 0, cooldowns: 0, sessions: 0 });
  });
});
