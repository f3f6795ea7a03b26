/** What every `RoutingStore` has to do, wherever it keeps what it remembers. */

import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { type AttemptEnd, type RoutingStore, maxSamples, unusedState } from "../../sdk/routing-store.ts";

export interface StoreUnderTest {
  /** Empty, its clock at the beginning of a minute. */
  readonly store: RoutingStore;
  /** Lets all of the store's clocks go on. */
  readonly advance: (ms: number) => void | Promise<void>;
}

const success: AttemptEnd = { outcome: "success", tokens: 10, latency: undefined, firstContent: undefined };
const failure: AttemptEnd = { ...success, outcome: "failure", tokens: 0 };
const minuteMs = 60_000;

export function describeRoutingStore(name: string, create: () => Promise<StoreUnderTest>): void {
  describe(`${name} as a routing store`, () => {
    let store: RoutingStore;
    let advance: StoreUnderTest["advance"];

    beforeEach(async () => {
      ({ store, advance } = await create());
    });

    afterEach(() => store.close());

    const read = async (id: string): Promise<Awaited<ReturnType<RoutingStore["read"]>>[number]> => {
      const [state] = await store.read([id]);
      if (state === undefined) throw new Error("read must answer for each id");
      return state;
    };

    const cooldown = async (key: string): Promise<{ ms: number; reason: string } | undefined> => {
      const [found] = await store.cooldowns([key]);
      return found;
    };

    describe("counts attempts", () => {
      test("and knows nothing of deployments nobody has used", async () => {
        expect(await store.read([])).toEqual([]);
        expect(await store.read(["x", "y"])).toEqual([unusedState, unusedState]);
      });

      test("under way, begun and ended", async () => {
        await store.begin("a");
        await store.begin("a");
        expect(await read("a")).toMatchObject({ inFlight: 2, requests: 2, successes: 0, failures: 0, tokens: 0 });
        await store.end("a", success);
        await store.end("a", failure);
        expect(await read("a")).toMatchObject({ inFlight: 0, requests: 2, successes: 1, failures: 1, tokens: 10 });
      });

      test("that speak neither for nor against a deployment", async () => {
        await store.begin("a");
        await store.end("a", { ...success, outcome: "none", tokens: 3 });
        expect(await read("a")).toMatchObject({ inFlight: 0, requests: 1, successes: 0, failures: 0, tokens: 3 });
      });

      test("each for its own deployment, told in the order of the ids", async () => {
        await store.begin("a");
        await store.begin("b");
        await store.begin("b");
        await store.end("b", success);
        const states = await store.read(["b", "none", "a", "b"]);
        expect(states.map(({ inFlight, requests }) => [inFlight, requests])).toEqual([
          [1, 2],
          [0, 0],
          [1, 1],
          [1, 2],
        ]);
      });

      test("and takes no notice of an end without a beginning", async () => {
        await store.end("a", success);
        expect(await read("a")).toEqual(unusedState);
        await store.begin("a");
        await store.end("a", failure);
        await store.end("a", success);
        expect(await read("a")).toMatchObject({ inFlight: 0, requests: 1, successes: 0, failures: 1, tokens: 0 });
      });

      test("of many at a time, and loses none", async () => {
        const ids = ["a", "b", "c"];
        await Promise.all(
          Array.from({ length: 300 }, async (_, index) => {
            const id = ids[index % ids.length] ?? "";
            await store.begin(id);
            await store.end(id, index % 2 === 0 ? success : failure);
          }),
        );
        for (const state of await store.read(ids)) {
          expect(state).toMatchObject({ inFlight: 0, requests: 100, successes: 50, failures: 50, tokens: 500 });
        }
      });

      test("anew in each minute, but for those under way", async () => {
        await store.begin("a");
        await store.begin("a");
        await store.end("a", success);
        await advance(minuteMs - 1);
        expect(await read("a")).toMatchObject({ inFlight: 1, requests: 2, successes: 1, tokens: 10 });
        await advance(1);
        expect(await read("a")).toMatchObject({ inFlight: 1, requests: 0, successes: 0, failures: 0, tokens: 0 });
        await store.end("a", failure);
        await store.begin("a");
        expect(await read("a")).toMatchObject({ inFlight: 1, requests: 1, successes: 0, failures: 1, tokens: 0 });
      });
    });

    describe("measures", () => {
      const end = async (latency: number | undefined, firstContent: number | undefined): Promise<void> => {
        await store.begin("a");
        await store.end("a", { ...success, latency, firstContent });
      };

      test("how long things took, the newest last, with their ages", async () => {
        await end(0.5, undefined);
        await advance(1000);
        await end(0.25, 2);
        await advance(500);
        const { latencies, firstContents } = await read("a");
        expect(latencies).toEqual([
          { seconds: 0.5, ageMs: 1500 },
          { seconds: 0.25, ageMs: 500 },
        ]);
        expect(firstContents).toEqual([{ seconds: 2, ageMs: 500 }]);
      });

      test("and keeps it beyond the minute, the last few of each kind", async () => {
        for (let each = 0; each < maxSamples + 3; each++) await end(each, each * 2);
        await advance(5 * minuteMs);
        const { latencies, firstContents } = await read("a");
        const last = Array.from({ length: maxSamples }, (_, index) => index + 3);
        expect(latencies.map(({ seconds }) => seconds)).toEqual(last);
        expect(firstContents.map(({ seconds }) => seconds)).toEqual(last.map((seconds) => seconds * 2));
      });

      test("nothing where there was nothing to measure", async () => {
        await end(undefined, undefined);
        expect(await read("a")).toMatchObject({ latencies: [], firstContents: [] });
      });
    });

    describe("counts failures", () => {
      test("since the first of them, each id for itself", async () => {
        expect(await store.fail("a", 1000)).toBe(1);
        expect(await store.fail("a", 1000)).toBe(2);
        expect(await store.fail("b", 1000)).toBe(1);
        expect(await store.fail("a", 1000)).toBe(3);
      });

      test("until the first one is forgotten", async () => {
        await store.fail("a", 1000);
        await advance(999);
        expect(await store.fail("a", 1000)).toBe(2);
        await advance(1);
        expect(await store.fail("a", 1000)).toBe(1);
        await advance(999);
        expect(await store.fail("a", 1000)).toBe(2);
      });

      test("until they are forgiven", async () => {
        await store.fail("a", 1000);
        await store.fail("b", 1000);
        await store.forgive("a");
        await store.forgive("unknown");
        expect(await store.fail("a", 1000)).toBe(1);
        expect(await store.fail("b", 1000)).toBe(2);
      });

      test("of many at a time, each counted once", async () => {
        const counts = await Promise.all(Array.from({ length: 50 }, async () => store.fail("a", 1000)));
        expect(counts.toSorted((one, other) => one - other)).toEqual(Array.from({ length: 50 }, (_, index) => index + 1));
      });
    });

    describe("takes out of use", () => {
      const limited = { ms: 5000, reason: "429", status: 429 } as const;
      const broken = { ms: 1000, reason: "3 failures in a row", status: undefined } as const;

      test("for as long as was said", async () => {
        await store.cool("deployment:a", limited);
        expect(await cooldown("deployment:a")).toEqual(limited);
        await advance(4999);
        expect(await cooldown("deployment:a")).toEqual({ ...limited, ms: 1 });
        await advance(1);
        expect(await cooldown("deployment:a")).toBeUndefined();
      });

      test("for the longer of two times, with its reason", async () => {
        await store.cool("deployment:a", limited);
        await store.cool("deployment:a", broken);
        expect(await cooldown("deployment:a")).toEqual(limited);
        await store.cool("deployment:b", broken);
        await store.cool("deployment:b", limited);
        expect(await cooldown("deployment:b")).toEqual(limited);
      });

      test("for a shorter time that ends later", async () => {
        await store.cool("deployment:a", limited);
        await advance(4500);
        await store.cool("deployment:a", broken);
        expect(await cooldown("deployment:a")).toEqual(broken);
      });

      test("until it is said to be back", async () => {
        await store.cool("deployment:a", limited);
        await store.warm("deployment:a");
        await store.warm("unknown");
        expect(await cooldown("deployment:a")).toBeUndefined();
        await store.cool("deployment:a", broken);
        expect(await cooldown("deployment:a")).toEqual(broken);
      });

      test("not at all for no time", async () => {
        await store.cool("deployment:a", { ...limited, ms: 0 });
        expect(await cooldown("deployment:a")).toBeUndefined();
      });

      test("each key for itself, told in the order of the keys", async () => {
        await store.cool("account:a", limited);
        await store.cool("deployment:b", broken);
        expect(await store.cooldowns(["deployment:a", "deployment:b", "account:a", "account:a"])).toEqual([
          undefined,
          broken,
          limited,
          limited,
        ]);
        expect(await store.cooldowns([])).toEqual([]);
      });
    });

    describe("binds sessions", () => {
      test("each to the deployment named last", async () => {
        await store.bind("s1", "a", 1000);
        await store.bind("s2", "b", 1000);
        await store.bind("s1", "c", 1000);
        expect([await store.bound("s1"), await store.bound("s2"), await store.bound("s3")]).toEqual(["c", "b", undefined]);
      });

      test("until their time is over, which reading does not prolong", async () => {
        await store.bind("s", "a", 1000);
        await advance(999);
        expect(await store.bound("s")).toBe("a");
        await advance(1);
        expect(await store.bound("s")).toBeUndefined();
      });

      test("for the whole time again when they are bound again", async () => {
        await store.bind("s", "a", 1000);
        await advance(600);
        await store.bind("s", "a", 1000);
        await advance(999);
        expect(await store.bound("s")).toBe("a");
        await advance(1);
        expect(await store.bound("s")).toBeUndefined();
      });
    });
  });
}
