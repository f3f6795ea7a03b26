import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import type { FailureClass } from "../../../core/attempts/failure.ts";
import { RetryBudgets } from "../../../core/attempts/retry-budget.ts";
import { failureOf, requestFaults, statuses, troubles } from "./failures.ts";

const origin = "https://api.example.com";
const trouble = failureOf("server");

function times(count: number, action: () => void): void {
  for (let done = 0; done < count; done++) action();
}

describe("the retry budget of an upstream", () => {
  it("is three retries at a time, however few requests there are", () => {
    const budgets = new RetryBudgets();
    expect(budgets.mayRetry(origin)).toBe(true);
    const ends = [1, 2, 3].map(() => budgets.begin(origin, true));
    expect(budgets.mayRetry(origin)).toBe(false);
    ends[0]?.();
    expect(budgets.mayRetry(origin)).toBe(true);
  });

  it("is a fifth of the requests under way, where they are many", () => {
    const budgets = new RetryBudgets();
    times(20, () => budgets.begin(origin, false));
    times(4, () => budgets.begin(origin, true));
    expect(budgets.mayRetry(origin)).toBe(false);
    budgets.begin(origin, false);
    expect(budgets.mayRetry(origin)).toBe(true);
  });

  it("is each upstream's own", () => {
    const budgets = new RetryBudgets();
    times(5, () => budgets.begin(origin, true));
    times(9, () => budgets.failed(origin, trouble));
    expect(budgets.mayRetry(origin)).toBe(false);
    expect(budgets.mayRetry("https://other.example.com")).toBe(true);
  });

  it("ends once, however often it is said", () => {
    const budgets = new RetryBudgets();
    budgets.begin(origin, false);
    const end = budgets.begin(origin, true);
    end();
    end();
    expect(budgets.describe()).toEqual([{ origin, inFlight: 1, retries: 0, tokens: 10 }]);
  });
});

describe("the tokens of an upstream: gRPC A6", () => {
  it("are gone by half after five failures, and so are retries", () => {
    const budgets = new RetryBudgets();
    times(4, () => budgets.failed(origin, trouble));
    expect(budgets.mayRetry(origin)).toBe(true);
    budgets.failed(origin, trouble);
    expect(budgets.describe()).toMatchObject([{ tokens: 5 }]);
    expect(budgets.mayRetry(origin)).toBe(false);
  });

  it("come back by a tenth with each success", () => {
    const budgets = new RetryBudgets();
    times(5, () => budgets.failed(origin, trouble));
    budgets.succeeded(origin);
    expect(budgets.describe()).toMatchObject([{ tokens: 5.1 }]);
    expect(budgets.mayRetry(origin)).toBe(true);
  });

  it("are never fewer than none, nor more than ten", () => {
    const budgets = new RetryBudgets();
    times(99, () => budgets.failed(origin, trouble));
    expect(budgets.describe()).toMatchObject([{ tokens: 0 }]);
    times(50, () => budgets.succeeded(origin));
    expect(budgets.mayRetry(origin)).toBe(false);
    budgets.succeeded(origin);
    expect(budgets.mayRetry(origin)).toBe(true);
    const end = budgets.begin(origin, false);
    times(99, () => budgets.succeeded(origin));
    expect(budgets.describe()).toMatchObject([{ tokens: 10 }]);
    end();
  });

  it.each(troubles)("are taken by %s", (type) => {
    const budgets = new RetryBudgets();
    budgets.failed(origin, failureOf(type));
    expect(budgets.describe()).toMatchObject([{ tokens: 9 }]);
    const blameless = new RetryBudgets();
    blameless.failed(origin, failureOf(type, { scope: "none" }));
    expect(blameless.describe()).toEqual([]);
  });

  it.each([...requestFaults, "rate-limit", "exhausted", "authentication", "permission", "not-found"] as const)(
    "are not taken by %s",
    (type) => {
      const budgets = new RetryBudgets();
      budgets.failed(origin, failureOf(type, { scope: "deployment" }));
      expect(budgets.describe()).toEqual([]);
    },
  );
});

describe("what is remembered", () => {
  it("is nothing of an upstream that is idle and well", () => {
    const budgets = new RetryBudgets();
    budgets.begin(origin, true)();
    expect(budgets.describe()).toEqual([]);
    budgets.failed(origin, trouble);
    times(10, () => budgets.succeeded(origin));
    expect(budgets.describe()).toEqual([]);
    budgets.succeeded(origin);
    expect(budgets.describe()).toEqual([]);
  });

  it("is so many that nobody uses, the latest, and all that are used", () => {
    const budgets = new RetryBudgets(2);
    const end = budgets.begin("busy", false);
    for (const name of ["one", "two", "three"]) budgets.failed(name, trouble);
    expect(budgets.describe().map((each) => each.origin)).toEqual(["busy", "three"]);
    end();
    const used = ["a", "b", "c", "d"];
    for (const name of used) budgets.begin(name, false);
    expect(budgets.describe().map((each) => each.origin)).toEqual(used);
  });
});

describe("whatever happens", () => {
  type Event =
    | { readonly type: "begin"; readonly origin: string; readonly isRetry: boolean }
    | { readonly type: "end"; readonly which: number }
    | { readonly type: "failed"; readonly origin: string; readonly of: FailureClass }
    | { readonly type: "succeeded"; readonly origin: string };
  const origins = fc.constantFrom("a", "b", "c");
  const events: fc.Arbitrary<Event> = fc.oneof(
    { weight: 4, arbitrary: fc.record({ type: fc.constant("begin" as const), origin: origins, isRetry: fc.boolean() }) },
    { weight: 3, arbitrary: fc.record({ type: fc.constant("end" as const), which: fc.nat(100) }) },
    {
      weight: 1,
      arbitrary: fc.record({
        type: fc.constant("failed" as const),
        origin: origins,
        of: fc.constantFrom(...(Object.keys(statuses) as FailureClass[])),
      }),
    },
    { weight: 2, arbitrary: fc.record({ type: fc.constant("succeeded" as const), origin: origins }) },
  );

  it("retries are a fifth or three, tokens are from 0 to 10, and all counts come back to 0", () => {
    fc.assert(
      fc.property(fc.array(events, { maxLength: 200 }), (run) => {
        const budgets = new RetryBudgets();
        const open: { readonly origin: string; readonly isRetry: boolean; readonly end: () => void }[] = [];
        for (const event of run) {
          if (event.type === "begin") {
            if (event.isRetry && !budgets.mayRetry(event.origin)) continue;
            open.push({ ...event, end: budgets.begin(event.origin, event.isRetry) });
            const own = open.filter((each) => each.origin === event.origin);
            const retries = own.filter(({ isRetry }) => isRetry).length;
            if (event.isRetry) expect(retries).toBeLessThanOrEqual(Math.max(3, (own.length - 1) * 0.2));
          } else if (event.type === "end") open.splice(event.which % Math.max(1, open.length), 1)[0]?.end();
          else if (event.type === "failed") budgets.failed(event.origin, failureOf(event.of));
          else budgets.succeeded(event.origin);
          for (const state of budgets.describe()) {
            const own = open.filter((each) => each.origin === state.origin);
            expect(state.inFlight).toBe(own.length);
            expect(state.retries).toBe(own.filter(({ isRetry }) => isRetry).length);
            expect(state.tokens).toBeGreaterThanOrEqual(0);
            expect(state.tokens).toBeLessThanOrEqual(10);
            if (state.tokens <= 5) expect(budgets.mayRetry(state.origin)).toBe(false);
          }
        }
        for (const { end } of open) end();
        for (const state of budgets.describe()) expect(state).toMatchObject({ inFlight: 0, retries: 0 });
      }),
    );
  });
});
