/** What every `LedgerStore` has to do, wherever it writes. */

import { afterEach, beforeEach, describe, expect, test } from "vitest";

import type {
  AttemptSettlement,
  AttemptStart,
  ExchangeEnd,
  ExchangeStart,
  LedgerFilter,
  LedgerStore,
  LedgerTokens,
  LedgerWrite,
} from "../../sdk/ledger.ts";

export interface LedgerUnderTest {
  /** Empty. */
  readonly store: LedgerStore;
  /** Another one over the same rows, as another process has it; undefined where rows belong to one process. */
  readonly other?: LedgerStore | undefined;
}

const dayMs = 86_400_000;
/** 2026-11-23T00:00:00Z */
const midnight = 1_795_392_000_000;
const tokens: LedgerTokens = { input: 10, output: 5, cacheRead: 100, cacheWrite5m: 20, cacheWrite1h: 3, reasoning: 2, serverTools: 1 };
const noTokens: LedgerTokens = { input: 0, output: 0, cacheRead: 0, cacheWrite5m: 0, cacheWrite1h: 0, reasoning: 0, serverTools: 0 };

function started(id: string, more: Partial<ExchangeStart> = {}): ExchangeStart {
  return {
    id,
    instance: "here",
    startedAt: midnight,
    operation: "generate",
    caller: { kind: "key", keyId: "k1", keyAlias: "alias", userId: "u1", teamId: "t1", endUser: "e1", address: "127.0.0.1" },
    session: "s1",
    agent: "a1",
    requestClass: "main",
    client: "claude-code",
    label: "default",
    modelAsked: "opus",
    tags: ["x", "y"],
    metadata: { project: "p", nested: [1, null] },
    ...more,
  };
}

function attempted(exchangeId: string, number = 1, more: Partial<AttemptStart> = {}): AttemptStart {
  return {
    exchangeId,
    number,
    instance: "here",
    startedAt: midnight + 1,
    deploymentId: "d1",
    group: "opus",
    provider: "anthropic",
    model: "claude-opus",
    apiBase: "https://api.anthropic.com",
    reason: "first",
    estimate: 900,
    ...more,
  };
}

function settled(exchangeId: string, number = 1, more: Partial<AttemptSettlement> = {}): AttemptSettlement {
  return {
    exchangeId,
    number,
    state: "settled",
    endedAt: midnight + 900,
    status: 200,
    tokens,
    cost: 700,
    isEstimate: false,
    firstContentMs: 12.5,
    ...more,
  };
}

function ended(id: string, more: Partial<ExchangeEnd> = {}): ExchangeEnd {
  return {
    id,
    endedAt: midnight + 1000,
    outcome: "completed",
    status: 200,
    modelServed: "claude-opus",
    provider: "anthropic",
    deploymentId: "d1",
    isCacheHit: false,
    firstByteMs: 13.5,
    ms: 1000.5,
    tokens,
    cost: 700,
    costAsAsked: 1000,
    ...more,
  };
}

function whole(id: string, start: Partial<ExchangeStart> = {}, end: Partial<ExchangeEnd> = {}): readonly LedgerWrite[] {
  return [
    { type: "exchange", row: started(id, start) },
    { type: "attempt", row: attempted(id) },
    { type: "settle", row: settled(id) },
    { type: "end", row: ended(id, end) },
  ];
}

export function describeLedgerStore(name: string, create: () => Promise<LedgerUnderTest>): void {
  describe(`${name} as a ledger`, () => {
    let store: LedgerStore;
    let other: LedgerStore | undefined;

    beforeEach(async () => {
      ({ store, other } = await create());
    });

    afterEach(async () => {
      await other?.close();
      await store.close();
    });

    const all = async (filter: LedgerFilter = {}): Promise<readonly string[]> => (await store.exchanges(filter, 1000)).map(({ id }) => id);

    describe("writes", () => {
      test("what was written is read as it was", async () => {
        await store.write([
          { type: "exchange", row: started("e") },
          { type: "attempt", row: attempted("e") },
        ]);
        expect(await store.exchanges({}, 10)).toEqual([{ ...started("e"), end: undefined }]);
        expect(await store.attempts("e")).toEqual([{ ...attempted("e"), state: "reserved", settlement: undefined }]);
        await store.write([
          { type: "settle", row: settled("e") },
          { type: "end", row: ended("e") },
        ]);
        expect(await store.exchanges({}, 10)).toEqual([{ ...started("e"), end: ended("e") }]);
        expect(await store.attempts("e")).toEqual([{ ...attempted("e"), state: "settled", settlement: settled("e") }]);
      });

      test("what nobody knows is not there, and is never 0", async () => {
        const bare: ExchangeStart = {
          id: "e",
          instance: "here",
          startedAt: midnight,
          operation: "embeddings",
          caller: { kind: "anonymous" },
          label: "default",
          modelAsked: "m",
          tags: [],
        };
        const nothing = { endedAt: midnight, cost: null };
        const bareEnd: ExchangeEnd = { id: "e", ...nothing, outcome: "refused", status: 502, isCacheHit: false, ms: 1, costAsAsked: null };
        const bareSettlement: AttemptSettlement = { exchangeId: "e", number: 1, state: "aborted", ...nothing, isEstimate: false };
        await store.write([
          { type: "exchange", row: bare },
          { type: "attempt", row: attempted("e", 1, { estimate: null }) },
          { type: "settle", row: bareSettlement },
          { type: "end", row: bareEnd },
        ]);
        expect(await store.exchanges({}, 10)).toEqual([{ ...bare, end: bareEnd }]);
        expect(await store.attempts("e")).toEqual([
          { ...attempted("e", 1, { estimate: null }), state: "aborted", settlement: bareSettlement },
        ]);
      });

      test("several attempts come in the order of their numbers", async () => {
        await store.write([
          { type: "exchange", row: started("e") },
          ...[2, 10, 1].map((number): LedgerWrite => ({ type: "attempt", row: attempted("e", number) })),
          { type: "settle", row: settled("e", 2, { state: "unknown", cost: 900, isEstimate: true }) },
        ]);
        expect((await store.attempts("e")).map(({ number, state }) => [number, state])).toEqual([
          [1, "reserved"],
          [2, "unknown"],
          [10, "reserved"],
        ]);
      });

      test("a settlement and an end count once, and only of what is there", async () => {
        await store.write(whole("e"));
        await store.write([
          { type: "settle", row: settled("e", 1, { cost: 1, state: "aborted" }) },
          { type: "end", row: ended("e", { cost: 1 }) },
          { type: "settle", row: settled("e", 7) },
          { type: "settle", row: settled("nobody") },
          { type: "end", row: ended("nobody") },
        ]);
        expect(await store.attempts("e")).toMatchObject([{ state: "settled", settlement: { cost: 700 } }]);
        expect(await store.exchanges({}, 10)).toMatchObject([{ id: "e", end: { cost: 700 } }]);
      });

      test("the same again changes nothing, so that what may have failed can be repeated", async () => {
        await store.write(whole("e"));
        await store.write([
          { type: "exchange", row: started("e", { label: "other" }) },
          { type: "attempt", row: attempted("e", 1, { model: "other" }) },
        ]);
        expect(await store.exchanges({}, 10)).toEqual([{ ...started("e"), end: ended("e") }]);
        expect(await store.attempts("e")).toMatchObject([{ model: "claude-opus", state: "settled" }]);
      });

      test("any text is kept as it is", async () => {
        const strange = "é😀'; DROP TABLE exchanges; -- \"\\\n\t%_";
        await store.write(whole("e", { label: strange, session: strange, tags: [strange, ""], metadata: { [strange]: strange } }));
        expect(await store.exchanges({ session: strange, tag: strange }, 10)).toMatchObject([
          { label: strange, tags: [strange, ""], metadata: { [strange]: strange } },
        ]);
      });

      test("many at once are all there", async () => {
        await Promise.all(
          Array.from({ length: 200 }, async (_, index) => (index % 2 === 0 ? store : (other ?? store)).write(whole(`e${index}`))),
        );
        expect(await all()).toHaveLength(200);
        expect(await store.totals([], {})).toMatchObject([{ requests: 200, cost: 140_000 }]);
      });
    });

    describe("recovery", () => {
      test("makes what vanished processes had reserved unknown, at its estimate, and leaves the rest alone", async () => {
        await store.write([
          { type: "exchange", row: started("gone", { instance: "gone" }) },
          { type: "attempt", row: attempted("gone", 1, { instance: "gone" }) },
          { type: "attempt", row: attempted("gone", 2, { instance: "gone", estimate: null }) },
          { type: "attempt", row: attempted("gone", 3, { instance: "gone" }) },
          { type: "settle", row: settled("gone", 3) },
          { type: "exchange", row: started("here") },
          { type: "attempt", row: attempted("here") },
        ]);
        const now = midnight + 5000;
        const recovered = await store.recover(["here", "there"], now);
        const lost = { exchangeId: "gone", state: "unknown", endedAt: now, isEstimate: true };
        expect(recovered.map(({ number, state, settlement }) => [number, state, settlement])).toEqual([
          [1, "unknown", { ...lost, number: 1, cost: 900 }],
          [2, "unknown", { ...lost, number: 2, cost: null }],
        ]);
        expect((await store.attempts("gone")).map(({ state, settlement }) => [state, settlement?.cost])).toEqual([
          ["unknown", 900],
          ["unknown", null],
          ["settled", 700],
        ]);
        expect(await store.attempts("here")).toMatchObject([{ state: "reserved" }]);
        expect(await store.recover(["here"], now)).toEqual([]);
        await store.write([{ type: "settle", row: settled("gone") }]);
        expect((await store.attempts("gone"))[0]).toMatchObject({ state: "unknown", settlement: { cost: 900 } });
      });

      test("ends what they had begun, with the cost of what is known", async () => {
        await store.write([
          { type: "exchange", row: started("gone", { instance: "gone" }) },
          { type: "attempt", row: attempted("gone", 1, { instance: "gone" }) },
          { type: "settle", row: settled("gone", 1) },
          { type: "attempt", row: attempted("gone", 2, { instance: "gone" }) },
          { type: "exchange", row: started("blind", { instance: "gone" }) },
          { type: "attempt", row: attempted("blind", 1, { instance: "gone", estimate: null }) },
        ]);
        await store.recover([], midnight + 5000);
        const rows = new Map((await store.exchanges({}, 10)).map((row) => [row.id, row.end]));
        expect(rows.get("gone")).toMatchObject({
          outcome: "unknown",
          status: 0,
          cost: 1600,
          costAsAsked: null,
          endedAt: midnight + 5000,
          ms: 5000,
        });
        expect(rows.get("blind")).toMatchObject({ outcome: "unknown", cost: null });
      });
    });

    describe("exchanges", () => {
      test("come newest first, page by page", async () => {
        for (const [index, id] of ["b", "a", "c", "d"].entries())
          await store.write(whole(id, { startedAt: midnight + Math.floor(index / 2) }));
        expect(await all()).toEqual(["d", "c", "b", "a"]);
        const first = await store.exchanges({}, 3);
        expect(first.map(({ id }) => id)).toEqual(["d", "c", "b"]);
        expect((await store.exchanges({}, 3, "b")).map(({ id }) => id)).toEqual(["a"]);
        expect(await store.exchanges({}, 3, "a")).toEqual([]);
      });

      test("are found by what they are", async () => {
        await store.write(whole("e1"));
        await store.write(
          whole("e2", {
            startedAt: midnight + dayMs,
            caller: { kind: "key", keyId: "k2", userId: "u2", teamId: "t2" },
            session: "s2",
            tags: ["y", "z"],
          }),
        );
        await store.write(whole("e3", { caller: { kind: "master" }, session: undefined, tags: [] }));
        expect(await all({ keyId: "k2" })).toEqual(["e2"]);
        expect(await all({ userId: "u1" })).toEqual(["e1"]);
        expect(await all({ teamId: "t2" })).toEqual(["e2"]);
        expect(await all({ session: "s1" })).toEqual(["e1"]);
        expect(await all({ requestId: "e3" })).toEqual(["e3"]);
        expect(await all({ tag: "y" })).toEqual(["e2", "e1"]);
        expect(await all({ tag: "y", keyId: "k1" })).toEqual(["e1"]);
        expect(await all({ tag: "%" })).toEqual([]);
        expect(await all({ from: midnight + 1 })).toEqual(["e2"]);
        expect(await all({ from: midnight, to: midnight + dayMs })).toEqual(["e3", "e1"]);
      });
    });

    describe("totals", () => {
      beforeEach(async () => {
        await store.write(whole("e1"));
        await store.write(whole("e2", { startedAt: midnight + dayMs - 1, tags: ["y"] }, { status: 500, cost: null, modelServed: "gpt" }));
        await store.write(
          whole("e3", { startedAt: midnight + dayMs, session: undefined, tags: [] }, { isCacheHit: true, cost: 0, tokens: undefined }),
        );
        await store.write([{ type: "exchange", row: started("open") }]);
      });

      test("are sums of what has ended; unknown costs are counted, not added", async () => {
        expect(await store.totals([], {})).toEqual([
          {
            by: [],
            requests: 3,
            successes: 2,
            cacheHits: 1,
            unknownCosts: 1,
            cost: 700,
            saved: 1300,
            tokens: { input: 20, output: 10, cacheRead: 200, cacheWrite5m: 40, cacheWrite1h: 6, reasoning: 4, serverTools: 2 },
          },
        ]);
      });

      test("do not take what was recovered for a success: nobody knows how it ended", async () => {
        await store.write([
          { type: "exchange", row: started("gone", { instance: "gone", label: "lost" }) },
          { type: "attempt", row: attempted("gone", 1, { instance: "gone" }) },
          ...[1, 399, 400].flatMap((status) => whole(`s${status}`, { label: `${status}` }, { status })),
        ]);
        await store.recover(["here"], midnight + 5000);
        const successes = (await store.totals(["label"], {})).map(({ by, requests, successes: some }) => [by[0], requests, some]);
        expect(successes).toEqual(
          expect.arrayContaining([
            ["lost", 1, 0],
            ["1", 1, 1],
            ["399", 1, 1],
            ["400", 1, 0],
          ]),
        );
      });

      test("of nothing are none", async () => {
        expect(await store.totals([], { keyId: "nobody" })).toEqual([]);
        expect(await store.totals(["model"], { keyId: "nobody" })).toEqual([]);
      });

      test("go by model, day, session and tag", async () => {
        const by = async (...groupings: Parameters<LedgerStore["totals"]>[0]): Promise<unknown> =>
          (await store.totals(groupings, {})).map((total) => [...total.by, total.requests, total.cost]);
        expect(await by("model")).toEqual([
          ["claude-opus", 2, 700],
          ["gpt", 1, 0],
        ]);
        expect(await by("day")).toEqual([
          ["2026-11-23", 2, 700],
          ["2026-11-24", 1, 0],
        ]);
        expect(await by("session")).toEqual([
          ["s1", 2, 700],
          ["", 1, 0],
        ]);
        expect(await by("tag")).toEqual([
          ["x", 1, 700],
          ["y", 2, 700],
          ["", 1, 0],
        ]);
        expect(await by("day", "model")).toEqual([
          ["2026-11-23", "claude-opus", 1, 700],
          ["2026-11-23", "gpt", 1, 0],
          ["2026-11-24", "claude-opus", 1, 0],
        ]);
        for (const grouping of ["modelAsked", "key", "user", "team", "agent", "label", "provider", "deployment"] as const)
          expect((await store.totals([grouping], {})).map((total) => total.by)).toEqual([
            [
              {
                modelAsked: "opus",
                key: "k1",
                user: "u1",
                team: "t1",
                agent: "a1",
                label: "default",
                provider: "anthropic",
                deployment: "d1",
              }[grouping],
            ],
          ]);
      });

      test("hold what sums of millions of dollars need", async () => {
        const dear = 4e15 + 1;
        await store.write(whole("dear", { label: "dear" }, { cost: dear, tokens: { ...noTokens, cacheRead: 9e9 } }));
        await store.write(whole("dearer", { label: "dear" }, { cost: dear }));
        expect((await store.totals(["label"], {}))[0]).toMatchObject({ by: ["dear"], cost: 8e15 + 2, tokens: { cacheRead: 9e9 + 100 } });
      });
    });

    test("what is pruned is forgotten with its attempts", async () => {
      await store.write(whole("old"));
      await store.write(whole("new", { startedAt: midnight + dayMs }));
      expect(await store.prune(midnight + dayMs)).toBe(1);
      expect(await all()).toEqual(["new"]);
      expect(await store.attempts("old")).toEqual([]);
      expect(await store.totals(["tag"], {})).toHaveLength(2);
    });

    test("another process sees it, too, and both may write of one exchange", async () => {
      if (other === undefined) return;
      await store.write([{ type: "exchange", row: started("e") }]);
      await other.write([{ type: "attempt", row: attempted("e") }]);
      await store.write([{ type: "settle", row: settled("e") }]);
      await other.write([{ type: "end", row: ended("e") }]);
      expect(await store.exchanges({}, 10)).toEqual([{ ...started("e"), end: ended("e") }]);
    });
  });
}
