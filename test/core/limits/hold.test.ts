import { randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, onTestFinished, test, vi } from "vitest";

import type { Limited } from "../../../core/limits/demands.ts";
import { LimitExceeded, LimitsUnknownError } from "../../../core/limits/exceeded.ts";
import { type Held, type Limiter, type LimiterOptions, createLimiter } from "../../../core/limits/hold.ts";
import { openMemory } from "../../../plugins/memory/index.ts";
import { openSqlite } from "../../../plugins/sqlite/index.ts";
import type { LedgerStore, LedgerWrite } from "../../../sdk/ledger.ts";
import type { LimitStore } from "../../../sdk/limits.ts";

const noon = Date.UTC(2026, 10, 23, 12);
const midnight = Date.UTC(2026, 10, 24);
const dollar = 1_000_000_000;
const cent = 10_000_000;
const keyId = "ab".repeat(32);
const budgetKey = `api_key:${keyId}:budget:24h`;

const payer = (terms: Partial<Limited> = { budgets: [{ max: dollar, duration: "24h" }] }): Limited => ({
  owner: "api_key",
  id: keyId,
  ...terms,
  spending: { filter: { keyId } },
});

interface Setup {
  readonly limiter: Limiter;
  readonly limits: LimitStore;
  readonly ledger: LedgerStore;
  readonly warnings: readonly (readonly [fields: unknown, message: string | undefined])[];
  time: number;
}

type Stores = (wallClock: () => number) => Promise<{ readonly limits: LimitStore; readonly ledger: LedgerStore }>;

const memory: Stores = async (wallClock) => openMemory({ now: wallClock, wallClock });
const sqlite: Stores = async (wallClock) => {
  const folder = await mkdtemp(join(tmpdir(), "ccproxy-limits-"));
  const engine = openSqlite({ path: join(folder, "x.db"), wallClock });
  onTestFinished(async () => {
    await engine.close();
    await rm(folder, { recursive: true });
  });
  return engine;
};

async function setUp(
  open: Stores = memory,
  options: LimiterOptions & { readonly wrap?: (setup: Setup) => Partial<Setup> } = {},
): Promise<Setup> {
  const warnings: [unknown, string | undefined][] = [];
  const clock = { time: noon };
  const wallClock = (): number => clock.time;
  const opened = await open(wallClock);
  const setup = Object.assign(clock, { limits: opened.limits, ledger: opened.ledger, warnings }) as unknown as Setup;
  const { limits, ledger } = { ...setup, ...options.wrap?.(setup) };
  const logger = { warn: (fields: unknown, message?: string): void => void warnings.push([fields, message]) };
  const limiter = createLimiter({ limits, ledger, wallClock, logger }, options);
  onTestFinished(() => limiter.close());
  return Object.assign(setup, { limiter });
}

async function ask(
  limiter: Limiter,
  cost: number | null = null,
  parties: readonly Limited[] = [payer()],
  id: string = randomUUID(),
): Promise<Held> {
  return limiter.hold({ parties, tokens: 10, cost, id });
}

async function usedOf({ limits }: Setup, key = budgetKey): Promise<number> {
  return (await limits.read([key]))[0]?.used ?? NaN;
}

/** An exchange in the ledger that has ended. */
function spend(id: string, cost: number, startedAt: number, deploymentId = "d"): readonly LedgerWrite[] {
  const caller = { kind: "key", keyId };
  const tokens = { input: 1, output: 1, cacheRead: 0, cacheWrite5m: 0, cacheWrite1h: 0, reasoning: 0, serverTools: 0 };
  return [
    {
      type: "exchange",
      row: { id, instance: "i", startedAt, operation: "generate", caller, label: "default", modelAsked: "m", tags: [] },
    },
    {
      type: "end",
      row: {
        id,
        endedAt: startedAt + 1,
        outcome: "completed",
        status: 200,
        deploymentId,
        isCacheHit: false,
        ms: 1,
        tokens,
        cost,
        costAsAsked: cost,
      },
    },
  ];
}

afterEach(() => void vi.useRealTimers());

describe.each([
  ["memory", memory],
  ["sqlite", sqlite],
])("with stores of %s", (_, open) => {
  test("of 200 requests at once as many are let in as a dollar pays for", async () => {
    const setup = await setUp(open);
    const results = await Promise.allSettled(Array.from({ length: 200 }, async () => ask(setup.limiter, 3 * cent)));
    const held = results.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []));
    expect(held).toHaveLength(33);
    for (const result of results) if (result.status === "rejected") expect(result.reason).toBeInstanceOf(LimitExceeded);
    // Each took a cent more than was thought: the budget is over by what was underestimated, and nobody else is let in.
    await Promise.all(held.map(async (each) => each.settle({ tokens: 10, cost: 4 * cent })));
    expect(await usedOf(setup)).toBe(132 * cent);
    await expect(ask(setup.limiter)).rejects.toBeInstanceOf(LimitExceeded);
  });

  test("what was reserved too much is free again", async () => {
    const setup = await setUp(open);
    const held = await ask(setup.limiter, dollar);
    await expect(ask(setup.limiter, cent)).rejects.toBeInstanceOf(LimitExceeded);
    await held.settle({ tokens: 10, cost: 2 * cent });
    expect(await usedOf(setup)).toBe(2 * cent);
    await ask(setup.limiter, 98 * cent);
  });

  test("it ends once, whatever comes after", async () => {
    const setup = await setUp(open);
    const parties = [payer({ maxParallelRequests: 1, budgets: [{ max: dollar, duration: "24h" }] })];
    const settled = await ask(setup.limiter, cent, parties, "one");
    await settled.settle({ tokens: 1, cost: 5 * cent });
    // The same name again: neither end of the first may end the second.
    const second = await ask(setup.limiter, cent, parties, "one");
    await settled.release();
    await settled.settle({ tokens: 1, cost: 0 });
    await expect(ask(setup.limiter, cent, parties)).rejects.toMatchObject({ limit: { type: "max_parallel_requests" } });
    await second.release();
    await second.release();
    expect(await usedOf(setup)).toBe(5 * cent);
    await ask(setup.limiter, cent, parties);
  });

  test("what ends in the next period was paid from the last one", async () => {
    const setup = await setUp(open);
    setup.time = midnight - 1;
    const held = await ask(setup.limiter, 60 * cent);
    setup.time = midnight + 1;
    const next = await ask(setup.limiter, 60 * cent);
    expect(next.standing).toEqual({ owner: "key", used: 60 * cent, limit: dollar, duration: "24h", resetsAt: midnight + 86_400_000 });
    await held.settle({ tokens: 1, cost: 90 * cent });
    expect(await usedOf(setup)).toBe(60 * cent);
  });

  test("a budget that has no counter begins with what the ledger says of its period", async () => {
    const setup = await setUp(open);
    await setup.ledger.write([...spend("a", 30 * cent, noon - 1000), ...spend("b", 50 * cent, noon - 86_400_000)]);
    const { standing } = await ask(setup.limiter, cent);
    expect(standing?.used).toBe(31 * cent);
  });

  test("only what was spent in its models counts where it is for a group of them", async () => {
    const setup = await setUp(open);
    await setup.ledger.write([...spend("a", 30 * cent, noon - 1000, "opus-1"), ...spend("b", 50 * cent, noon - 1000, "haiku-1")]);
    const opus = { ...payer(), spending: { filter: { keyId }, only: { by: "deployment", has: (id: string) => id === "opus-1" } } } as const;
    expect((await ask(setup.limiter, cent, [opus])).standing?.used).toBe(31 * cent);
  });

  test("nothing is waited for", async () => {
    const { limiter } = await setUp(open);
    const held = limiter.hold({ parties: [payer()], tokens: 1, cost: 1, id: "a" });
    expect(held).not.toBeInstanceOf(Promise);
    expect((held as Held).settle({ tokens: 1, cost: 1 })).toBeUndefined();
  });
});

test("where nobody has limits no store is asked", async () => {
  const { limiter } = await setUp(async () => ({}) as never);
  const held = limiter.hold({ parties: [payer({})], tokens: 1, cost: 1, id: "a" }) as Held;
  expect(held.standing).toBeUndefined();
  expect([held.settle({ tokens: 1, cost: 1 }), held.release()]).toEqual([undefined, undefined]);
});

test("a refusal says which limit, and how the caller stands with its budget", async () => {
  const { limiter } = await setUp();
  await ask(limiter, 99 * cent);
  await expect(ask(limiter, 2 * cent)).rejects.toMatchObject({
    limit: { type: "budget", key: budgetKey },
    state: { used: 99 * cent, resetsInMs: midnight - noon },
    standing: { owner: "key", used: 99 * cent, limit: dollar, duration: "24h", resetsAt: midnight },
  });
  await expect(ask(limiter, 0, [payer({ tpm: 9 })])).rejects.toMatchObject({ limit: { type: "tokens" }, standing: undefined });
});

test("what is free needs no room in a budget, yet in the other limits; and counts, should it cost something after all", async () => {
  const setup = await setUp();
  await ask(setup.limiter, dollar);
  const parties = [payer({ rpm: 1, budgets: [{ max: dollar, duration: "24h" }] })];
  const free = await ask(setup.limiter, 0, parties);
  expect(free.standing).toMatchObject({ used: dollar, limit: dollar });
  await free.settle({ tokens: 1, cost: cent });
  expect(await usedOf(setup)).toBe(101 * cent);
  await expect(ask(setup.limiter, 0, parties)).rejects.toMatchObject({ limit: { type: "requests" } });
});

test("counters of tokens get what was used", async () => {
  const setup = await setUp();
  const parties = [payer({ tpm: 100 })];
  const held = await ask(setup.limiter, 0, parties);
  await held.settle({ tokens: 70, cost: null });
  expect(await usedOf(setup, `api_key:${keyId}:tpm`)).toBe(70);
});

describe("what a counter begins with", () => {
  /** Answers of the ledger, each when it is let go. */
  const slow = (asked: PromiseWithResolvers<void>[], { ledger }: Setup): Partial<Setup> => ({
    ledger: {
      ...ledger,
      async totals(by, filter) {
        const gate = Promise.withResolvers<void>();
        asked.push(gate);
        await gate.promise;
        return ledger.totals(by, filter);
      },
    },
  });

  test("is asked once, however many ask at once, and not again", async () => {
    const asked: PromiseWithResolvers<void>[] = [];
    const setup = await setUp(memory, { wrap: (each) => slow(asked, each) });
    await setup.ledger.write(spend("a", 30 * cent, noon - 1000));
    const both = [ask(setup.limiter, cent), ask(setup.limiter, cent)];
    asked[0]?.resolve();
    await Promise.all(both);
    await ask(setup.limiter, cent);
    expect(asked).toHaveLength(1);
    expect(await usedOf(setup)).toBe(33 * cent);
  });

  test("is not asked where there is a counter of the period", async () => {
    const asked: PromiseWithResolvers<void>[] = [];
    const setup = await setUp(memory, { wrap: (each) => slow(asked, each) });
    const other = createLimiter({ ...setup, wallClock: () => setup.time, logger: { warn: () => undefined } });
    onTestFinished(() => other.close());
    await ask(other, 20 * cent);
    expect((await ask(setup.limiter, cent)).standing?.used).toBe(21 * cent);
    expect(asked).toEqual([]);
  });

  test("is what it held when it was last seen, where it is gone", async () => {
    const setup = await setUp();
    const first = await ask(setup.limiter, 50 * cent);
    await first.settle({ tokens: 1, cost: 40 * cent });
    const second = await ask(setup.limiter, 5 * cent);
    await second.release();
    await setup.limits.reset([budgetKey]);
    expect((await ask(setup.limiter, cent)).standing?.used).toBe(41 * cent);
  });

  test("is brought up to date with what other processes have spent", async () => {
    vi.useFakeTimers();
    const setup = await setUp(memory, { refreshMs: 1000 });
    const other = createLimiter({ ...setup, wallClock: () => setup.time, logger: { warn: () => undefined } });
    onTestFinished(() => other.close());
    await ask(setup.limiter, cent);
    await ask(other, 20 * cent);
    await vi.advanceTimersByTimeAsync(1000);
    await setup.limits.reset([budgetKey]);
    expect((await ask(setup.limiter, cent)).standing?.used).toBe(22 * cent);
  });

  test("is asked of the ledger again, where the counter is found gone", async () => {
    vi.useFakeTimers();
    const setup = await setUp(memory, { refreshMs: 1000 });
    await ask(setup.limiter, cent);
    await setup.ledger.write(spend("elsewhere", 30 * cent, noon));
    await setup.limits.reset([budgetKey]);
    await vi.advanceTimersByTimeAsync(1000);
    expect((await ask(setup.limiter, cent)).standing?.used).toBe(31 * cent);
  });

  test("is no less than what this process holds of it", async () => {
    vi.useFakeTimers();
    const setup = await setUp(memory, { refreshMs: 1000 });
    await ask(setup.limiter, 50 * cent);
    await setup.limits.reset([budgetKey]);
    await vi.advanceTimersByTimeAsync(1000);
    expect((await ask(setup.limiter, cent)).standing?.used).toBe(51 * cent);
  });

  test("is asked of the ledger once, however long the counter is gone", async () => {
    vi.useFakeTimers();
    let asked = 0;
    const setup = await setUp(memory, {
      refreshMs: 1000,
      wrap: ({ ledger }) => ({
        ledger: {
          ...ledger,
          totals(by, filter) {
            asked += 1;
            return ledger.totals(by, filter);
          },
        },
      }),
    });
    await ask(setup.limiter, cent);
    expect(asked).toBe(1);
    await setup.limits.reset([budgetKey]);
    await vi.advanceTimersByTimeAsync(5000);
    expect(asked).toBe(2);
  });

  test("is what others have given back, too", async () => {
    vi.useFakeTimers();
    const setup = await setUp(memory, { refreshMs: 1000 });
    const other = createLimiter({ ...setup, wallClock: () => setup.time, logger: { warn: () => undefined } });
    onTestFinished(() => other.close());
    const large = await ask(other, 90 * cent);
    await ask(setup.limiter, cent);
    await large.release();
    await vi.advanceTimersByTimeAsync(1000);
    await setup.limits.reset([budgetKey]);
    expect((await ask(setup.limiter, cent)).standing?.used).toBe(2 * cent);
  });

  test("is what a refusal has shown", async () => {
    const setup = await setUp();
    const other = createLimiter({ ...setup, wallClock: () => setup.time, logger: { warn: () => undefined } });
    onTestFinished(() => other.close());
    await ask(setup.limiter, cent);
    await ask(other, 99 * cent);
    await expect(ask(setup.limiter, cent)).rejects.toBeInstanceOf(LimitExceeded);
    await setup.limits.reset([budgetKey]);
    await expect(ask(setup.limiter, cent)).rejects.toMatchObject({ state: { used: dollar } });
  });

  test("is not what was spent in the period before, though its counter be there still", async () => {
    const setup = await setUp();
    // Clocks differ.
    const other = createLimiter({ ...setup, wallClock: () => setup.time - 5000, logger: { warn: () => undefined } });
    onTestFinished(() => other.close());
    setup.time = midnight - 1000;
    await ask(other, 60 * cent);
    setup.time = midnight + 1000;
    expect((await ask(setup.limiter, cent)).standing?.used).toBe(cent);
  });

  test("is remembered as long as a request is under way, and the period lasts", async () => {
    vi.useFakeTimers();
    const setup = await setUp(memory, { refreshMs: 1000, leaseMs: 1e9 });
    await ask(setup.limiter, 50 * cent);
    setup.time += 700_000;
    await vi.advanceTimersByTimeAsync(1000);
    await setup.limits.reset([budgetKey]);
    expect((await ask(setup.limiter, cent)).standing?.used).toBe(51 * cent);
    const timers = vi.getTimerCount();
    setup.time = midnight;
    await vi.advanceTimersByTimeAsync(1000);
    expect(vi.getTimerCount()).toBe(timers - 1);
  });

  test("is learnt anew when nobody has used it for long", async () => {
    vi.useFakeTimers();
    const setup = await setUp(memory, { refreshMs: 1000 });
    const held = await ask(setup.limiter, cent);
    await held.settle({ tokens: 1, cost: cent });
    setup.time += 700_000;
    await vi.advanceTimersByTimeAsync(1000);
    expect(vi.getTimerCount()).toBe(0);
    await setup.limits.reset([budgetKey]);
    await setup.ledger.write(spend("elsewhere", 30 * cent, noon));
    expect((await ask(setup.limiter, cent)).standing?.used).toBe(31 * cent);
  });
});

describe("where the ledger cannot be asked", () => {
  const gone = ({ ledger }: Setup): Partial<Setup> => ({
    ledger: { ...ledger, totals: async () => Promise.reject(new Error("away")) },
  });

  test("a budget refuses nobody, and its counter does not begin with nothing", async () => {
    const setup = await setUp(memory, { wrap: gone });
    const held = await ask(setup.limiter, 2 * dollar, [payer({ rpm: 5, budgets: [{ max: dollar, duration: "24h" }] })]);
    expect(held.standing).toBeUndefined();
    expect(await setup.limits.read([budgetKey, `api_key:${keyId}:rpm`])).toMatchObject([{ used: 0 }, { used: 1 }]);
    expect(setup.warnings).toHaveLength(1);
    await held.release();
  });

  test("or everybody, where that is wanted", async () => {
    const { limiter } = await setUp(memory, { wrap: gone, whenAway: () => "fail_closed" });
    await expect(ask(limiter, cent)).rejects.toBeInstanceOf(LimitsUnknownError);
  });
});

describe("leases", () => {
  test("of all that is open are renewed by one call, until it ends", async () => {
    vi.useFakeTimers();
    const renewed: (readonly string[])[] = [];
    const setup = await setUp(memory, {
      leaseMs: 300,
      wrap: ({ limits }) => ({
        limits: {
          ...limits,
          renew(ids, leaseMs) {
            renewed.push(ids);
            return limits.renew(ids, leaseMs);
          },
        },
      }),
    });
    const parties = [payer({ maxParallelRequests: 2 })];
    const a = await ask(setup.limiter, 0, parties, "a");
    await ask(setup.limiter, 0, parties, "b");
    for (let count = 0; count < 4; count++) {
      setup.time += 100;
      await vi.advanceTimersByTimeAsync(100);
    }
    expect(renewed).toEqual(Array.from({ length: 4 }, () => ["a", "b"]));
    await expect(ask(setup.limiter, 0, parties)).rejects.toBeInstanceOf(LimitExceeded);
    await a.release();
    await vi.advanceTimersByTimeAsync(100);
    expect(renewed.at(-1)).toEqual(["b"]);
  });

  test("that cannot be renewed, and ends that fail, are told, and fail nobody", async () => {
    vi.useFakeTimers();
    const away = (): never => {
      throw new Error("away");
    };
    const setup = await setUp(memory, {
      leaseMs: 300,
      wrap: ({ limits }) => ({ limits: { ...limits, renew: away, settle: away, release: async () => away() } }),
    });
    const a = await ask(setup.limiter);
    const b = await ask(setup.limiter);
    await vi.advanceTimersByTimeAsync(100);
    expect(setup.warnings).toHaveLength(1);
    await a.settle({ tokens: 1, cost: 1 });
    await b.release();
    expect(setup.warnings).toHaveLength(3);
  });
});
