import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { backoffMs } from "../../../core/attempts/backoff.ts";
import type { FailureClass } from "../../../core/attempts/failure.ts";
import { failureOf } from "./failures.ts";

const most = 1 - Number.EPSILON;
const wait = (type: FailureClass, times: number, random = most, minDelayMs = 0, retryAfterMs?: number): number | undefined =>
  backoffMs({ failure: { ...failureOf(type), retryAfterMs }, times, isExplicit: true, minDelayMs, random: () => random });

describe("the wait before the same deployment is asked again", () => {
  it.each(["rate-limit", "overloaded", "exhausted"] as const)("is up to 1, 2, 4, 8, 16, then 20 seconds after %s", (type) => {
    expect([1, 2, 3, 4, 5, 6, 7, 999].map((times) => wait(type, times))).toEqual([999, 1999, 3999, 7999, 15_999, 19_999, 19_999, 19_999]);
  });

  it.each(["server", "connection", "timeout", "broken"] as const)("is up to 100, 200, 400 ms …, then 8 seconds after %s", (type) => {
    expect([1, 2, 3, 7, 8, 999].map((times) => wait(type, times))).toEqual([99, 199, 399, 6399, 7999, 7999]);
  });

  it("is anything up to that, nothing too", () => {
    expect(wait("overloaded", 3, 0)).toBe(0);
    expect(wait("overloaded", 3, 0.5)).toBe(2000);
  });

  it("is what the upstream asks for, up to ten seconds where nobody said how often to ask", () => {
    const asked = (retryAfterMs: number): number | undefined =>
      backoffMs({ failure: { ...failureOf("server"), retryAfterMs }, times: 1, isExplicit: false, minDelayMs: 0, random: () => 0 });
    expect([asked(7000), asked(10_000), asked(10_001)]).toEqual([7000, 10_000, undefined]);
  });

  it("is what the upstream asks for, up to a minute", () => {
    expect(wait("rate-limit", 1, 0, 0, 30_000)).toBe(30_000);
    expect(wait("rate-limit", 1, most, 0, 10)).toBe(10);
    expect(wait("server", 1, 0, 0, 60_000)).toBe(60_000);
  });

  it("is not waited for where the upstream asks for longer", () => {
    expect(wait("rate-limit", 1, 0, 0, 60_001)).toBeUndefined();
    expect(wait("rate-limit", 1, 0, 100_000, 60_001)).toBeUndefined();
  });

  it("is at least retry_after", () => {
    expect(wait("server", 1, 0, 5000)).toBe(5000);
    expect(wait("server", 9, most, 5000)).toBe(7999);
    expect(wait("server", 1, most, 0, 10)).toBe(10);
    expect(wait("server", 1, most, 5000, 10)).toBe(5000);
  });

  it("is within its bounds, whatever happens", () => {
    fc.assert(
      fc.property(
        fc.constantFrom<FailureClass>("rate-limit", "overloaded", "server", "connection"),
        fc.integer({ min: 1, max: 1e9 }),
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        fc.nat(100_000),
        fc.option(fc.nat(1_000_000), { nil: undefined }),
        (type, times, random, minDelayMs, retryAfterMs) => {
          const found = wait(type, times, random, minDelayMs, retryAfterMs);
          if (found === undefined) expect(retryAfterMs).toBeGreaterThan(60_000);
          else {
            expect(found).toBeGreaterThanOrEqual(minDelayMs);
            expect(found).toBeLessThanOrEqual(Math.max(minDelayMs, retryAfterMs ?? 20_000));
          }
        },
      ),
    );
  });
});
