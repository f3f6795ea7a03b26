/** What every `LimitStore` has to do, wherever it counts. */

import { afterEach, beforeEach, describe, expect, test } from "vitest";

import type { BudgetDemand, Demand, LimitStore, Reservation, SlotDemand, WindowDemand } from "../../sdk/limits.ts";

export interface LimitsUnderTest {
  /** Empty. */
  readonly store: LimitStore;
  /** Another one over the same counters, as another process has it; undefined where counters belong to one process. */
  readonly other?: LimitStore | undefined;
  /** Lets all clocks of the store go on. */
  readonly advance: (ms: number) => void | Promise<void>;
}

const minuteMs = 60_000;
const leaseMs = 30_000;

function rpm(amount: number, limit = 10, key = "rpm"): WindowDemand {
  return { kind: "window", key, amount, limit, windowMs: minuteMs };
}

function slot(limit = 2, key = "slots"): SlotDemand {
  return { kind: "slot", key, limit };
}

function budget(amount: number, limit = 100, more: Partial<BudgetDemand> = {}): BudgetDemand {
  return { kind: "budget", key: "budget", amount, limit, period: "p1", endsInMs: 10 * minuteMs, spent: 0, ...more };
}

export function describeLimitStore(name: string, create: () => Promise<LimitsUnderTest>): void {
  describe(`${name} as a limit store`, () => {
    let store: LimitStore;
    let other: LimitStore | undefined;
    let advance: LimitsUnderTest["advance"];
    let ids = 0;

    beforeEach(async () => {
      ({ store, other, advance } = await create());
    });

    afterEach(async () => {
      await other?.close();
      await store.close();
    });

    const take = async (demands: readonly Demand[], id = `r${(ids += 1)}`): Promise<Reservation & { readonly id: string }> => ({
      ...(await store.reserve(id, demands, leaseMs)),
      id,
    });
    const used = async (key: string): Promise<number> => (await store.read([key]))[0]?.used ?? Number.NaN;

    describe("a window", () => {
      test("has room for what fits, and says what is used and when it is over", async () => {
        expect(await take([rpm(4)])).toMatchObject({ isGranted: true, states: [{ key: "rpm", used: 4, resetsInMs: minuteMs }] });
        await advance(20_000);
        expect(await take([rpm(6)])).toMatchObject({ isGranted: true, states: [{ used: 10, resetsInMs: 40_000 }] });
        expect(await take([rpm(1)])).toMatchObject({ isGranted: false, index: 0, state: { key: "rpm", used: 10, resetsInMs: 40_000 } });
        expect(await used("rpm")).toBe(10);
      });

      test("begins anew with the first hit behind its end", async () => {
        await take([rpm(10)]);
        await advance(minuteMs);
        expect(await store.read(["rpm"])).toEqual([{ key: "rpm", used: 0, resetsInMs: undefined }]);
        await advance(5000);
        expect(await take([rpm(3)])).toMatchObject({ isGranted: true, states: [{ used: 3, resetsInMs: minuteMs }] });
      });

      test("is settled with what it took, beyond the limit if so", async () => {
        const { id } = await take([rpm(4)]);
        await store.settle(id, [13]);
        expect(await used("rpm")).toBe(13);
        expect(await take([rpm(1)])).toMatchObject({ isGranted: false });
      });

      test("that is over takes nothing from a settlement", async () => {
        const { id } = await take([rpm(4)]);
        await advance(minuteMs);
        await take([rpm(1)]);
        await store.settle(id, [9]);
        expect(await used("rpm")).toBe(1);
      });

      test("gives back what is released, unless it is over", async () => {
        const first = await take([rpm(4)]);
        await store.release(first.id);
        expect(await used("rpm")).toBe(0);
        const second = await take([rpm(4)]);
        await advance(minuteMs);
        await take([rpm(2)]);
        await store.release(second.id);
        expect(await used("rpm")).toBe(2);
      });

      test("may be asked for nothing, which fits until it is full", async () => {
        expect(await take([rpm(0)])).toMatchObject({ isGranted: true });
        await take([rpm(10)]);
        expect(await take([rpm(0)])).toMatchObject({ isGranted: true });
      });
    });

    describe("slots", () => {
      test("are as many at a time, and free again by settlement and release", async () => {
        const first = await take([slot()]);
        const second = await take([slot()]);
        expect(await take([slot()])).toMatchObject({ isGranted: false, index: 0, state: { key: "slots", used: 2 } });
        await store.settle(first.id, [undefined]);
        expect(await take([slot()])).toMatchObject({ isGranted: true, states: [{ used: 2 }] });
        await store.release(second.id);
        expect(await used("slots")).toBe(1);
      });

      test("are free when their lease is over, unless it was renewed", async () => {
        const kept = await take([slot()]);
        await take([slot()]);
        await advance(leaseMs - 1000);
        await store.renew([kept.id, "nobody"], leaseMs);
        await advance(2000);
        expect(await take([slot()])).toMatchObject({ isGranted: true, states: [{ used: 2 }] });
        await advance(leaseMs - 3000);
        expect(await take([slot()])).toMatchObject({ isGranted: false });
      });

      test("are not given back twice", async () => {
        const { id } = await take([slot()]);
        await take([slot()]);
        await store.settle(id, [undefined]);
        await store.settle(id, [undefined]);
        await store.release(id);
        expect(await used("slots")).toBe(1);
      });

      test("of a lease that is over are not given back once more", async () => {
        const { id } = await take([slot(1)]);
        await advance(leaseMs + 1);
        await take([slot(1)]);
        await store.release(id);
        expect(await used("slots")).toBe(1);
      });
    });

    describe("a budget", () => {
      test("is taken from before, and set right after", async () => {
        const { id } = await take([budget(60)]);
        expect(await take([budget(60)])).toMatchObject({ isGranted: false, state: { key: "budget", used: 60, resetsInMs: 10 * minuteMs } });
        await store.settle(id, [12]);
        expect(await take([budget(60)])).toMatchObject({ isGranted: true, states: [{ used: 72 }] });
      });

      test("begins with what was spent", async () => {
        expect(await take([budget(10, 100, { spent: 95 })])).toMatchObject({ isGranted: false, state: { used: 95 } });
        expect(await take([budget(5, 100, { spent: 95 })])).toMatchObject({ isGranted: true, states: [{ used: 100 }] });
        // It is there by now.
        expect(await take([budget(0, 200, { spent: 0 })])).toMatchObject({ isGranted: true, states: [{ used: 100 }] });
      });

      test("that is used up refuses what costs nothing, too", async () => {
        await take([budget(100)]);
        expect(await take([budget(0)])).toMatchObject({ isGranted: false });
      });

      test("begins anew with the next period, and takes nothing from a settlement or release of the last one", async () => {
        const first = await take([budget(60)]);
        const second = await take([budget(30)]);
        const third = await take([budget(80, 100, { period: "p2", spent: 0 })]);
        expect(third).toMatchObject({ isGranted: true, states: [{ used: 80 }] });
        await store.settle(first.id, [1]);
        await store.release(second.id);
        expect(await used("budget")).toBe(80);
      });

      test("ends with its period", async () => {
        await take([budget(60, 100, { endsInMs: 5000 })]);
        await advance(5000);
        expect(await store.read(["budget"])).toEqual([{ key: "budget", used: 0, resetsInMs: undefined }]);
      });

      test("without an end goes on for ever", async () => {
        await take([budget(60, 100, { endsInMs: undefined })]);
        await advance(1000 * minuteMs);
        expect(await store.read(["budget"])).toEqual([{ key: "budget", used: 60, resetsInMs: undefined }]);
      });

      test("takes what nobody had reserved, in its own period only", async () => {
        await store.add("budget", "p1", 7);
        expect(await used("budget")).toBe(0);
        await take([budget(1)]);
        await store.add("budget", "p1", 7);
        await store.add("budget", "p0", 1000);
        expect(await used("budget")).toBe(8);
      });

      test("counts nano-dollars of a million dollars exactly", async () => {
        const limit = 1e15 + 1;
        const { id } = await take([budget(1e15, limit)]);
        expect(await take([budget(1, limit)])).toMatchObject({ isGranted: true, states: [{ used: 1e15 + 1 }] });
        await store.settle(id, [1e15 - 1]);
        expect(await used("budget")).toBe(1e15);
      });
    });

    describe("a reservation", () => {
      test("takes all or nothing", async () => {
        await take([slot(1)]);
        expect(await take([rpm(1), budget(5), slot(1), rpm(1, 10, "tpm")])).toMatchObject({
          isGranted: false,
          index: 2,
          state: { key: "slots" },
        });
        expect(await store.read(["rpm", "budget", "tpm", "slots"])).toMatchObject([{ used: 0 }, { used: 0 }, { used: 0 }, { used: 1 }]);
      });

      test("is one, however often it is asked for", async () => {
        const demands = [rpm(4), slot(), budget(9)];
        const first = await take(demands, "same");
        expect(await take(demands, "same")).toMatchObject({ isGranted: true, states: [{ used: 4 }, { used: 1 }, { used: 9 }] });
        expect(first.isGranted).toBe(true);
        await store.settle("same", [undefined, undefined, undefined]);
        expect(await store.read(["rpm", "slots", "budget"])).toMatchObject([{ used: 4 }, { used: 0 }, { used: 9 }]);
      });

      test("that was refused can be asked for again", async () => {
        const holder = await take([slot(1)]);
        expect(await take([slot(1)], "again")).toMatchObject({ isGranted: false });
        await store.release(holder.id);
        expect(await take([slot(1)], "again")).toMatchObject({ isGranted: true });
      });

      test("of a process that has vanished keeps its requests and its money taken", async () => {
        await take([rpm(4), slot(), budget(9, 100, { endsInMs: undefined })]);
        await advance(leaseMs + 1);
        expect(await store.read(["rpm", "slots", "budget"])).toMatchObject([{ used: 4 }, { used: 0 }, { used: 9 }]);
      });

      test("of nothing is granted", async () => {
        expect(await take([])).toMatchObject({ isGranted: true, states: [] });
      });

      test("that nobody knows is settled and released by nobody", async () => {
        await store.settle("nobody", [1]);
        await store.release("nobody");
        expect(await store.read([])).toEqual([]);
      });

      test("with strange names keeps to its own counters", async () => {
        const strange = ["a:b", "a", "{a}", "é\u0000x", "'; --", "a b\n"];
        for (const [index, key] of strange.entries()) await take([rpm(index + 1, 10, key)]);
        expect((await store.read(strange)).map((state) => state.used)).toEqual([1, 2, 3, 4, 5, 6]);
      });
    });

    test("reset forgets counters", async () => {
      await take([rpm(4), budget(9)]);
      await store.reset(["rpm", "nobody"]);
      expect(await store.read(["rpm", "budget"])).toMatchObject([{ used: 0 }, { used: 9 }]);
    });

    test("of two hundred at once as many are let in as fit, to the last one", async () => {
      const stores = other === undefined ? [store] : [store, other];
      const answers = await Promise.all(
        Array.from({ length: 200 }, async (_, index) =>
          stores[index % stores.length]?.reserve(`race${index}`, [budget(7, 1000), slot(120), rpm(1, 160)], leaseMs),
        ),
      );
      expect(answers.filter((answer) => answer?.isGranted === true)).toHaveLength(120);
      expect(await store.read(["budget", "slots", "rpm"])).toMatchObject([{ used: 840 }, { used: 120 }, { used: 120 }]);
    });

    test("what one process takes, another one sees, settles and releases", async () => {
      if (other === undefined) return;
      const { id } = await take([rpm(4), slot(1), budget(9)]);
      expect(await other.reserve("theirs", [slot(1)], leaseMs)).toMatchObject({ isGranted: false });
      await other.settle(id, [5, undefined, 3]);
      expect(await store.read(["rpm", "slots", "budget"])).toMatchObject([{ used: 5 }, { used: 0 }, { used: 3 }]);
    });
  });
}
