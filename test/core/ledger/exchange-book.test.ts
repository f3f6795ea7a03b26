import { beforeEach, describe, expect, test } from "vitest";

import { ExchangeBook } from "../../../core/ledger/exchange-book.ts";
import type { LedgerWrite } from "../../../sdk/ledger.ts";

const attempt = { deploymentId: "d", group: "g", provider: "p", model: "m", apiBase: "https://p", reason: "first", estimate: 90 } as const;
const settled = { state: "settled", status: 200, cost: 70, isEstimate: false } as const;
const failed = { state: "aborted", status: 500, cost: 0, isEstimate: false } as const;
const end = { outcome: "completed", status: 200, isCacheHit: false, ms: 5, costAsAsked: 100 } as const;

let groups: (readonly LedgerWrite[])[];
let time = 0;

function create(write: (writes: readonly LedgerWrite[]) => void | Promise<void> = () => undefined): ExchangeBook {
  return new ExchangeBook({
    ledger: {
      write(writes) {
        groups.push(writes);
        return write(writes);
      },
    },
    instance: "here",
    wallClock: () => (time += 1),
    describe: () => ({
      id: "e",
      startedAt: 0,
      operation: "generate",
      caller: { kind: "master" },
      label: "default",
      modelAsked: "m",
      tags: [],
    }),
  });
}

const types = (): readonly (readonly string[])[] => groups.map((writes) => writes.map(({ type }) => type));
const row = (group: number, index: number): unknown => groups[group]?.[index]?.row;

beforeEach(() => {
  groups = [];
  time = 1000;
});

describe("the book of an exchange", () => {
  test("writes the exchange with its first attempt, then settlement and end", async () => {
    const book = create();
    const number = await book.reserve(attempt);
    await book.settle(number, settled);
    await book.end(end);
    expect(types()).toEqual([["exchange", "attempt"], ["settle"], ["end"]]);
    expect(row(0, 0)).toMatchObject({ id: "e", instance: "here" });
    expect(row(0, 1)).toEqual({ ...attempt, exchangeId: "e", number: 1, instance: "here", startedAt: 1001 });
    expect(row(1, 0)).toEqual({ ...settled, exchangeId: "e", number: 1, endedAt: 1002 });
    expect(row(2, 0)).toEqual({ ...end, id: "e", endedAt: 1003, cost: 70 });
  });

  test("tells of a failed attempt together with the next one", async () => {
    const book = create();
    book.settleLater(await book.reserve(attempt), failed);
    await book.reserve({ ...attempt, reason: "retry" });
    expect(types()).toEqual([
      ["exchange", "attempt"],
      ["settle", "attempt"],
    ]);
    expect(row(1, 1)).toMatchObject({ number: 2, reason: "retry" });
  });

  test("settles each attempt once, ends once, and knows nothing of others", async () => {
    const book = create();
    const number = await book.reserve(attempt);
    await book.settle(number, settled);
    await book.settle(number, { ...settled, cost: 1000 });
    await book.settle(7, settled);
    await book.end(end);
    await book.end({ ...end, outcome: "client-gone" });
    expect(types()).toEqual([["exchange", "attempt"], ["settle"], ["end"]]);
    expect(row(2, 0)).toMatchObject({ cost: 70, outcome: "completed" });
  });

  test("ends with what nobody has settled as unknown, at its estimate", async () => {
    const book = create();
    await book.reserve(attempt);
    await book.settle(await book.reserve(attempt), settled);
    await book.end(end);
    expect(types().at(-1)).toEqual(["settle", "end"]);
    expect(row(3, 0)).toMatchObject({ number: 1, state: "unknown", cost: 90, isEstimate: true });
    expect(row(3, 1)).toMatchObject({ cost: 160 });
  });

  test("has no cost where one of its attempts has none", async () => {
    const book = create();
    await book.settle(await book.reserve(attempt), { ...settled, cost: null });
    await book.settle(await book.reserve(attempt), settled);
    expect(book.cost).toBeNull();
    await book.end(end);
    expect(groups.at(-1)?.at(-1)?.row).toMatchObject({ cost: null });
  });

  test("of an exchange without attempts tells of it at its end", async () => {
    await create().end({ ...end, isCacheHit: true });
    expect(types()).toEqual([["exchange", "end"]]);
    expect(row(0, 1)).toMatchObject({ cost: 0, isCacheHit: true });
  });

  test("waits for a ledger that takes its time, and for none that does not", async () => {
    expect(create().reserve(attempt)).toBe(1);
    let finish: () => void = () => undefined;
    const slow = create(() => new Promise((resolve) => (finish = resolve)));
    const reserved = slow.reserve(attempt);
    expect(reserved).toBeInstanceOf(Promise);
    finish();
    expect(await reserved).toBe(1);
  });

  test("reserves nothing where the ledger did not write it", async () => {
    const book = create(async (writes) => {
      if (writes.some(({ type }) => type === "attempt")) throw new Error("disk full");
    });
    await expect((async () => book.reserve(attempt))()).rejects.toThrow("disk full");
    await book.end({ ...end, outcome: "refused" });
    expect(types().at(-1)).toEqual(["exchange", "end"]);
  });

  test.each([true, false])("writes again what the ledger did not take (at once: %s)", async (atOnce) => {
    let isFull = false;
    const fail = (): void => {
      if (isFull) throw new Error("disk full");
    };
    const book = create(atOnce ? fail : async () => fail());
    const number = await book.reserve(attempt);
    isFull = true;
    await expect((async () => book.settle(number, settled))()).rejects.toThrow("disk full");
    isFull = false;
    await book.end(end);
    expect(types().at(-1)).toEqual(["settle", "end"]);
    expect(groups.at(-1)?.[1]?.row).toMatchObject({ cost: 70 });
  });
});
