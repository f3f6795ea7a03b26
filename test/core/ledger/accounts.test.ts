import { beforeEach, describe, expect, test } from "vitest";

import { Accounts, type AccountsEnd, type AttemptAccount } from "../../../core/ledger/accounts.ts";
import { ExchangeBook } from "../../../core/ledger/exchange-book.ts";
import { ConnectionError } from "../../../core/upstream/connection-error.ts";
import { openMemory } from "../../../plugins/memory/index.ts";
import type { AttemptRecord, LedgerStore } from "../../../sdk/ledger.ts";

const usage = { inputTokens: 100, outputTokens: 20, cacheReadTokens: 0, cacheWriteTokens: 0 };
const end: AccountsEnd = {
  outcome: "completed",
  status: 200,
  usage,
  isWhole: true,
  bytes: 1000,
  isCacheHit: false,
  firstByteMs: 3,
  ms: 9,
};
const left: AccountsEnd = { ...end, outcome: "client-gone", status: 499, usage: { ...usage, outputTokens: 1 }, isWhole: false };

let ledger: LedgerStore;
let trouble: unknown[];
let accounts: Accounts;

function open(given: Pick<LedgerStore, "write"> = ledger): Accounts {
  let time = 1000;
  return new Accounts({
    book: new ExchangeBook({
      ledger: given,
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
    }),
    tokens: (each) =>
      each?.inputTokens === undefined || each.outputTokens === undefined
        ? undefined
        : {
            input: each.inputTokens,
            output: each.outputTokens,
            cacheRead: 0,
            cacheWrite5m: 0,
            cacheWrite1h: 0,
            reasoning: 0,
            serverTools: 0,
          },
    served: () => ({ model: "mocked", provider: "p", deploymentId: "d" }),
    asAsked: (each) => (each === undefined ? null : 7000),
    onTrouble: (error) => void trouble.push(error),
  });
}

/** A token in costs 1, one out 10. */
function attempt(reason = "first"): AttemptAccount {
  return accounts.open(reason, (model) => ({
    deploymentId: "d",
    group: "g",
    provider: "p",
    model,
    apiBase: "https://p",
    estimate: 5000,
    cost: (each) => (each?.inputTokens ?? 0) + 10 * (each?.outputTokens ?? 0),
  }));
}

const rows = async (): Promise<readonly AttemptRecord[]> => ledger.attempts("e");
const ended = async (): Promise<unknown> => (await ledger.exchanges({}, 10))[0]?.end;

beforeEach(() => {
  ({ ledger } = openMemory({ now: () => 0, wallClock: () => 0 }));
  trouble = [];
  accounts = open();
});

describe("an attempt", () => {
  test("is reserved when `reserve` has returned, and settled with the end", async () => {
    const first = attempt();
    await first.reserve("m-1");
    expect(await rows()).toMatchObject([{ state: "reserved", model: "m-1", estimate: 5000 }]);
    first.answered(200);
    accounts.take(first);
    expect(accounts.finalCost).toBeUndefined();
    await accounts.finish(end);
    expect(await rows()).toMatchObject([
      { state: "settled", settlement: { status: 200, cost: 300, isEstimate: false, tokens: { input: 100, output: 20 } } },
    ]);
    expect(await ended()).toMatchObject({ outcome: "completed", cost: 300, costAsAsked: 7000, modelServed: "m-1", deploymentId: "d" });
    expect(accounts.finalCost).toBe(300);
  });

  test("that was refused costs nothing; the next one does", async () => {
    const first = attempt();
    await first.reserve("m-1");
    first.answered(529);
    first.failed("overloaded");
    const second = attempt("retry");
    await second.reserve("m-1");
    second.answered(200);
    accounts.take(second);
    await accounts.finish(end);
    expect(await rows()).toMatchObject([
      { number: 1, state: "settled", settlement: { status: 529, cost: 0 } },
      { number: 2, reason: "retry", state: "settled", settlement: { cost: 300 } },
    ]);
    expect(await ended()).toMatchObject({ cost: 300 });
  });

  test("that never left costs nothing, one that may have arrived its estimate", async () => {
    const lost = (fault: "unreachable" | "closed-before-response"): ConnectionError =>
      new ConnectionError("gone", { status: 502, kind: "api_error", fault });
    const first = attempt();
    await first.reserve("m-1");
    first.lost(lost("unreachable"), false);
    const second = attempt("retry");
    await second.reserve("m-1");
    second.lost(lost("closed-before-response"), false);
    await accounts.finish({ ...end, outcome: "upstream-failed", status: 502, usage: undefined, isWhole: false });
    expect(await rows()).toMatchObject([
      { state: "settled", settlement: { cost: 0, failure: "unreachable" } },
      { state: "unknown", settlement: { cost: 5000, isEstimate: true, failure: "closed-before-response" } },
    ]);
  });

  test("that is sent twice has two rows", async () => {
    const first = attempt();
    await first.reserve("m-1");
    first.answered(401);
    await first.reserve("m-1");
    first.answered(200);
    accounts.take(first);
    await accounts.finish(end);
    expect(await rows()).toMatchObject([
      { number: 1, settlement: { status: 401, cost: 0 } },
      { number: 2, settlement: { status: 200, cost: 300 } },
    ]);
  });

  test("that lost a race is aborted, at its estimate", async () => {
    const [first, second] = [attempt(), attempt("hedge")];
    await first.reserve("m-1");
    await second.reserve("m-1");
    second.dropped();
    first.answered(200);
    accounts.take(first);
    await accounts.finish(end);
    expect(await rows()).toMatchObject([{ state: "settled" }, { state: "aborted", settlement: { cost: 5000, isEstimate: true } }]);
    expect(await ended()).toMatchObject({ cost: 5300 });
  });
});

describe("an answer whose caller leaves", () => {
  test("costs what was said so far, by its length", async () => {
    const first = attempt();
    await first.reserve("m-1");
    first.answered(200);
    accounts.take(first);
    await accounts.finish(left);
    expect(await rows()).toMatchObject([{ state: "aborted", settlement: { isEstimate: true, cost: 100 + 10 * 20 } }]);
  });

  test("that is read on costs what the upstream says at last", async () => {
    const first = attempt();
    await first.reserve("m-1");
    first.answered(200);
    accounts.take(first);
    accounts.willReadOn();
    await accounts.finish(left);
    expect(await rows()).toMatchObject([{ state: "reserved" }]);
    await accounts.readOn({ ...usage, outputTokens: 50 });
    expect(await rows()).toMatchObject([{ state: "settled", settlement: { isEstimate: false, cost: 600 } }]);
    expect(await ended()).toMatchObject({ outcome: "client-gone", cost: 600 });
  });

  test("that is read on before anybody is told of its caller, too", async () => {
    const first = attempt();
    await first.reserve("m-1");
    accounts.take(first);
    accounts.willReadOn();
    await accounts.readOn({ ...usage, outputTokens: 50 });
    await accounts.finish(left);
    expect(await rows()).toMatchObject([{ settlement: { cost: 600 } }]);
  });
});

test("an answer that does not say what it took is unknown, at its estimate", async () => {
  const first = attempt();
  await first.reserve("m-1");
  first.answered(200);
  accounts.take(first);
  await accounts.finish({ ...end, usage: undefined });
  expect(await rows()).toMatchObject([{ state: "unknown", settlement: { cost: 5000, isEstimate: true } }]);
});

test("what nobody was asked for is told of whoever stands for it", async () => {
  await accounts.finish(end);
  expect(await ended()).toMatchObject({ modelServed: "mocked", deploymentId: "d", cost: 0 });
});

test("without an attempt there is an end all the same, for nothing", async () => {
  await accounts.finish({ ...end, usage: undefined, outcome: "refused", status: 429 });
  expect(await ended()).toMatchObject({ outcome: "refused", cost: 0, costAsAsked: 0 });
});

test("whoever holds something is told what it took, after it was written", async () => {
  const told: unknown[] = [];
  accounts.onTaken(async (taken) => void told.push([taken, (await ended()) !== undefined]));
  const first = attempt();
  await first.reserve("m-1");
  accounts.take(first);
  await accounts.finish(end);
  await accounts.finish(left);
  expect(told).toEqual([[{ cost: 300, usage, wasSent: true }, true]]);
});

test("a ledger that fails is told of, and fails nobody", async () => {
  const broken = new Error("disk full");
  accounts = open({
    write() {
      throw broken;
    },
  });
  const first = attempt();
  await first.reserve("m-1");
  accounts.take(first);
  await accounts.finish(end);
  expect(trouble).toEqual([broken, broken]);
});

describe("whoever holds something for one attempt", () => {
  test("hears what all that was sent for it has cost", async () => {
    const costs: unknown[] = [];
    const first = attempt();
    first.onClosed((cost) => void costs.push(cost));
    await first.reserve("m-1");
    first.answered(401);
    await first.reserve("m-1");
    first.answered(200);
    accounts.take(first);
    expect(costs).toEqual([]);
    await accounts.finish(end);
    expect(costs).toEqual([300]);
  });

  test("hears of one that was never sent that it was for nothing", () => {
    const costs: unknown[] = [];
    const first = attempt();
    first.onClosed((cost) => void costs.push(cost));
    first.dropped();
    first.failed("denied");
    expect(costs).toEqual([0]);
  });
});
