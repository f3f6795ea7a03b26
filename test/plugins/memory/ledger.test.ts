import { expect, test } from "vitest";

import { createMemoryLedger } from "../../../plugins/memory/ledger.ts";
import { describeLedgerStore } from "../../contracts/ledger-store.ts";

describeLedgerStore("memory", async () => ({ store: createMemoryLedger() }));

const start = { instance: "i", operation: "generate", caller: { kind: "master" }, label: "default", modelAsked: "m" };
const end = { endedAt: 2, outcome: "completed", status: 200, isCacheHit: false, ms: 1, cost: 5, costAsAsked: null };

test("an exchange that has a tag twice counts once for it", async () => {
  const ledger = createMemoryLedger();
  await ledger.write([
    { type: "exchange", row: { ...start, id: "e", startedAt: 1, tags: ["x", "x"] } },
    { type: "end", row: { ...end, id: "e" } },
  ]);
  expect(await ledger.totals(["tag"], {})).toMatchObject([{ by: ["x"], requests: 1, cost: 5 }]);
});

test("older than an exchange that is not there is nothing", async () => {
  const ledger = createMemoryLedger();
  await ledger.write([{ type: "exchange", row: { ...start, id: "e", startedAt: 1, tags: [] } }]);
  expect(await ledger.exchanges({}, 10, "nobody")).toEqual([]);
});
