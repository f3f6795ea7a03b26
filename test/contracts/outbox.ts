/** What every `Outbox` has to do, wherever writes wait. */

import { beforeEach, describe, expect, test } from "vitest";

import type { LedgerWrite } from "../../sdk/ledger.ts";
import type { Outbox } from "../../sdk/outbox.ts";

export interface OutboxUnderTest {
  /** Empty. */
  readonly outbox: Outbox;
  /** Another one over the same rows, as another process has it. */
  readonly other: Outbox;
  /** The same rows, opened anew behind a stop. */
  readonly reopen: () => Promise<Outbox>;
}

/** As many kinds of writes as there are, with everything that has to arrive as it was. */
export function writesOf(id: string, more: { readonly metadata?: LedgerMetadata } = {}): readonly LedgerWrite[] {
  const at = 1_795_392_000_000.25;
  const tokens = { input: 1, output: 2, cacheRead: 3, cacheWrite5m: 4, cacheWrite1h: 5, reasoning: 6, serverTools: 7 };
  const attempt = { deploymentId: "d", group: "g", provider: "p", model: "m", apiBase: "https://example.com", reason: "first" };
  const begun = { operation: "generate", caller: { kind: "key", keyId: "k" }, label: "l", modelAsked: "m", tags: ["t", ""], ...more };
  const dear = Number.MAX_SAFE_INTEGER;
  return [
    { type: "exchange", row: { id, instance: "i", startedAt: at, ...begun } },
    { type: "attempt", row: { exchangeId: id, number: 1, instance: "i", startedAt: at, estimate: null, ...attempt } },
    {
      type: "settle",
      row: { exchangeId: id, number: 1, state: "settled", endedAt: at, status: 200, tokens, cost: dear, isEstimate: false },
    },
    { type: "end", row: { id, endedAt: at, outcome: "completed", status: 200, isCacheHit: false, ms: 0.5, cost: dear, costAsAsked: null } },
  ];
}

type LedgerMetadata = Extract<LedgerWrite, { type: "exchange" }>["row"]["metadata"];

export function describeOutbox(name: string, create: () => Promise<OutboxUnderTest>): void {
  describe(`${name} as an outbox`, () => {
    let outbox: Outbox;
    let other: Outbox;
    let reopen: OutboxUnderTest["reopen"];

    beforeEach(async () => {
      ({ outbox, other, reopen } = await create());
    });

    /** Of the exchanges that wait, in their order. */
    const names = async (from = outbox, limit = 1000): Promise<readonly string[]> =>
      (await from.peek(limit)).map(({ writes }) => (writes[0]?.type === "exchange" ? writes[0].row.id : "?"));

    test("that is new is empty", async () => {
      expect(await outbox.peek(10)).toEqual([]);
      expect(await outbox.count()).toBe(0);
      await outbox.removeUpTo(1000);
      await outbox.append(writesOf("a"));
      expect(await names()).toEqual(["a"]);
    });

    test("gives back what was appended as it was, together what came together", async () => {
      const strange = "é😀\u0000\uD800'; DROP TABLE outbox; -- \"\\\n\t%_";
      const writes = writesOf("a", { metadata: { [strange]: [strange, 1e-7, null, { nested: true }] } });
      await outbox.append(writes);
      await outbox.append([]);
      expect((await outbox.peek(10)).map((waiting) => waiting.writes)).toEqual([writes, []]);
    });

    test("takes megabytes at once", async () => {
      const writes = writesOf("a", { metadata: { text: "x".repeat(8 * 1024 * 1024) } });
      await outbox.append(writes);
      expect((await outbox.peek(1))[0]?.writes).toEqual(writes);
    });

    test("gives the oldest first, and as many as are wanted", async () => {
      for (const id of ["c", "a", "b"]) await outbox.append(writesOf(id));
      expect(await names(outbox, 2)).toEqual(["c", "a"]);
      expect(await names(outbox, 1000)).toEqual(["c", "a", "b"]);
      expect(await outbox.peek(0)).toEqual([]);
      expect(await outbox.count()).toBe(3);
    });

    test("keeps what is looked at until it is removed", async () => {
      await outbox.append(writesOf("a"));
      const seen = await outbox.peek(10);
      expect(await outbox.peek(10)).toEqual(seen);
      await outbox.removeUpTo(seen[0]?.id ?? 0);
      expect(await outbox.peek(10)).toEqual([]);
    });

    test("removes what is up to an id, and nothing that came behind it", async () => {
      for (const id of ["a", "b", "c"]) await outbox.append(writesOf(id));
      const [first, second] = await outbox.peek(2);
      await outbox.append(writesOf("d"));
      await outbox.removeUpTo(second?.id ?? 0);
      expect(await names()).toEqual(["c", "d"]);
      // Twice, or late: nothing more.
      await outbox.removeUpTo(second?.id ?? 0);
      await outbox.removeUpTo(first?.id ?? 0);
      expect(await names()).toEqual(["c", "d"]);
      expect(await outbox.count()).toBe(2);
    });

    test("uses no id twice, also when it was empty in between, and was opened anew", async () => {
      let last = 0;
      for (let round = 0; round < 3; round++) {
        await outbox.append(writesOf("a"));
        const id = (await outbox.peek(1))[0]?.id ?? 0;
        expect(id).toBeGreaterThan(last);
        last = id;
        await outbox.removeUpTo(id);
        outbox = await reopen();
      }
    });

    test("is the same for all who share it", async () => {
      await outbox.append(writesOf("a"));
      await other.append(writesOf("b"));
      await outbox.append(writesOf("c"));
      expect(await names(other)).toEqual(["a", "b", "c"]);
      expect(await other.peek(10)).toEqual(await outbox.peek(10));
      await other.removeUpTo((await other.peek(2))[1]?.id ?? 0);
      expect(await names(outbox)).toEqual(["c"]);
      expect(await outbox.count()).toBe(1);
    });

    test("is there behind a stop", async () => {
      for (const id of ["a", "b"]) await outbox.append(writesOf(id));
      await outbox.removeUpTo((await outbox.peek(1))[0]?.id ?? 0);
      const reopened = await reopen();
      expect(await reopened.peek(10)).toMatchObject([{ writes: writesOf("b") }]);
    });

    test("takes thousands, and lets go of them batch by batch", async () => {
      for (let each = 0; each < 2000; each++) await outbox.append(writesOf(`e${each}`));
      expect(await outbox.count()).toBe(2000);
      const seen: string[] = [];
      for (;;) {
        const waiting = await outbox.peek(300);
        const last = waiting.at(-1);
        if (last === undefined) break;
        seen.push(...(await names(outbox, 300)));
        await outbox.removeUpTo(last.id);
      }
      expect(seen).toEqual(Array.from({ length: 2000 }, (_, each) => `e${each}`));
    });
  });
}
