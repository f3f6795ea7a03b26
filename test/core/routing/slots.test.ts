import { getEventListeners } from "node:events";

import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import { Slots, slotLimit } from "../../../core/routing/slots.ts";

const never = new AbortController().signal;

/** Takes slots in the given order; tells who has one. */
function line(
  slots: Slots,
  limit: number,
): { readonly join: (name: string, signal?: AbortSignal) => Promise<() => void>; readonly admitted: string[] } {
  const admitted: string[] = [];
  return {
    admitted,
    join: async (name, signal = never) => {
      const release = await slots.acquire("d", limit, signal);
      admitted.push(name);
      return release;
    },
  };
}

interface Asking {
  readonly leave: AbortController;
  state: "waiting" | "has" | "gone";
  release?: () => void;
}

/** Lets everything that can go on go on. */
const settle = async (): Promise<void> => {
  for (let turn = 0; turn < 10; turn++) await Promise.resolve();
};

describe("slots of a deployment", () => {
  test("are given at once while there are some", () => {
    const slots = new Slots();
    expect(slots.acquire("d", 2, never)).toBeTypeOf("function");
    expect(slots.acquire("d", 2, never)).toBeTypeOf("function");
    expect(slots.acquire("d", 2, never)).toBeInstanceOf(Promise);
    expect(slots.acquire("other", 2, never)).toBeTypeOf("function");
    expect(slots.usage("d")).toEqual({ taken: 2, waiting: 1 });
  });

  test("are given in the order in which they were asked for", async () => {
    const slots = new Slots();
    const { join, admitted } = line(slots, 1);
    const releases = ["first", "second", "third"].map((name) => join(name));
    await settle();
    expect(admitted).toEqual(["first"]);
    (await releases[0])?.();
    await settle();
    expect(admitted).toEqual(["first", "second"]);
    (await releases[1])?.();
    (await releases[2])?.();
    expect(admitted).toEqual(["first", "second", "third"]);
    expect(slots.usage("d")).toEqual({ taken: 0, waiting: 0 });
  });

  test("cannot be given back twice", async () => {
    const slots = new Slots();
    const { join, admitted } = line(slots, 1);
    const first = await join("first");
    void join("second");
    void join("third");
    first();
    first();
    await settle();
    expect(admitted).toEqual(["first", "second"]);
    expect(slots.usage("d")).toEqual({ taken: 1, waiting: 1 });
  });

  test("are not waited for by who has left, and those behind move up", async () => {
    const slots = new Slots();
    const { join, admitted } = line(slots, 1);
    const first = await join("first");
    const client = new AbortController();
    const second = join("second", client.signal);
    void join("third");
    client.abort(new Error("the client left"));
    expect(slots.usage("d")).toEqual({ taken: 1, waiting: 1 });
    await expect(second).rejects.toThrow("the client left");
    first();
    await settle();
    expect(admitted).toEqual(["first", "third"]);
  });

  test("stay with who got them and left afterwards, until they are given back", async () => {
    const slots = new Slots();
    const { join } = line(slots, 1);
    const first = await join("first");
    const client = new AbortController();
    const second = join("second", client.signal);
    first();
    // A client may have many requests, one after the other: nothing of this one stays behind.
    expect(getEventListeners(client.signal, "abort")).toEqual([]);
    client.abort(new Error("the client left"));
    const release = await second;
    expect(slots.usage("d")).toEqual({ taken: 1, waiting: 0 });
    release();
    expect(slots.usage("d")).toEqual({ taken: 0, waiting: 0 });
  });

  test("are refused to who has left already", () => {
    const slots = new Slots();
    expect(() => slots.acquire("d", 1, AbortSignal.abort(new Error("the client left")))).toThrow("the client left");
    expect(slots.usage("d")).toEqual({ taken: 0, waiting: 0 });
  });

  test("are not counted where there is no limit", () => {
    const slots = new Slots();
    const release = slots.acquire("d", undefined, never);
    expect(release).toBeTypeOf("function");
    expect(slots.usage("d")).toEqual({ taken: 0, waiting: 0 });
    if (typeof release === "function") release();
    expect(slots.acquire("d", 1, never)).toBeTypeOf("function");
    expect(slots.acquire("d", 1, never)).toBeInstanceOf(Promise);
  });

  test("follow a limit that a newer configuration raised", async () => {
    const slots = new Slots();
    const held = await slots.acquire("d", 1, never);
    const client = new AbortController();
    const old = slots.acquire("d", 1, client.signal);
    const newer = slots.acquire("d", 2, never);
    expect(slots.usage("d")).toEqual({ taken: 1, waiting: 2 });
    client.abort(new Error("the client left"));
    await expect(old).rejects.toThrow("the client left");
    (await newer)();
    held();
    expect(slots.usage("d")).toEqual({ taken: 0, waiting: 0 });
  });

  test("are never more than the limit, go in order, and all come back, whoever leaves when", async () => {
    const action = fc.record({ type: fc.constantFrom("ask", "leave", "give"), which: fc.nat(20) });
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 4 }), fc.array(action, { maxLength: 60 }), async (limit, actions) => {
        const slots = new Slots();
        let overtaken = 0;
        const asked: Asking[] = [];
        const expected = (): readonly Asking[] => asked.filter(({ state }) => state === "waiting");
        const enter = async (entry: Asking): Promise<void> => {
          try {
            entry.release = await slots.acquire("d", limit, entry.leave.signal);
            if (expected()[0] !== entry) overtaken++;
            entry.state = "has";
          } catch {
            entry.state = "gone";
          }
        };
        for (const { type, which } of actions) {
          const one = asked[which % Math.max(1, asked.length)];
          if (type === "ask") {
            const entry: Asking = { leave: new AbortController(), state: "waiting" };
            asked.push(entry);
            void enter(entry);
          } else if (type === "leave") one?.leave.abort(new Error("left"));
          else one?.release?.();
          if (type === "give" && one?.state === "has") one.state = "gone";
          await settle();
          const has = asked.filter(({ state }) => state === "has").length;
          expect(has).toBeLessThanOrEqual(limit);
          expect(slots.usage("d")).toEqual({ taken: has, waiting: expected().length });
          expect(overtaken).toBe(0);
          // Nobody waits while there is a slot.
          expect(has === limit || expected().length === 0).toBe(true);
        }
        for (const { leave } of expected()) leave.abort(new Error("left"));
        await settle();
        for (const { release } of asked) release?.();
        expect(slots.usage("d")).toEqual({ taken: 0, waiting: 0 });
      }),
    );
  });
});

describe("how many attempts a deployment may have under way", () => {
  const none = { maxParallelRequests: undefined, rpm: undefined, tpm: undefined };

  test.each([
    ["what is said of it", { maxParallelRequests: 3, rpm: 50, tpm: 1000 }, 7, 3],
    ["its requests a minute", { ...none, rpm: 50, tpm: 1000 }, 7, 50],
    ["six for each thousand tokens a minute", { ...none, tpm: 2500 }, 7, 15],
    ["at least one", { ...none, tpm: 100 }, 7, 1],
    ["what is said of all", none, 7, 7],
    ["as many as come", none, undefined, undefined],
  ])("is %s", (_, routing, usual, wanted) => {
    expect(slotLimit(routing, usual)).toBe(wanted);
  });
});
