import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import { after, gridOf, isDuration, periodAt } from "../../../core/keys/durations.ts";

const at = (text: string): number => Date.parse(text);
const good = ["1s", "30s", "10m", "1h", "24h", "1d", "2d", "7d", "1w", "2w", "30d", "45d", "1mo", "3mo", "1200mo"];

describe("a period", () => {
  const now = at("2026-11-25T13:47:21.500Z"); // a Wednesday

  test.each([
    ["24h", "2026-11-25T00:00Z", "2026-11-26T00:00Z"],
    ["1d", "2026-11-25T00:00Z", "2026-11-26T00:00Z"],
    ["7d", "2026-11-23T00:00Z", "2026-11-30T00:00Z"],
    ["1w", "2026-11-23T00:00Z", "2026-11-30T00:00Z"],
    ["30d", "2026-11-01T00:00Z", "2026-12-01T00:00Z"],
    ["1mo", "2026-11-01T00:00Z", "2026-12-01T00:00Z"],
    ["3mo", "2026-10-01T00:00Z", "2027-01-01T00:00Z"],
    ["1h", "2026-11-25T13:00Z", "2026-11-25T14:00Z"],
    ["10m", "2026-11-25T13:40Z", "2026-11-25T13:50Z"],
    ["1m", "2026-11-25T13:47Z", "2026-11-25T13:48Z"],
  ])("of %s is that of the calendar", (duration, name, end) => {
    expect(periodAt(duration, now)).toEqual({ name, startsAt: at(name), endsAt: at(end) });
  });

  test("that begins within a minute has its second in its name", () => {
    expect(periodAt("15s", now).name).toBe("2026-11-25T13:47:15Z");
  });

  test("begins with its first ms, and ends before that of the next", () => {
    const midnight = at("2026-12-01T00:00Z");
    expect(periodAt("1mo", midnight).startsAt).toBe(midnight);
    expect(periodAt("1mo", midnight - 1).endsAt).toBe(midnight);
    expect(periodAt("7d", at("2026-11-23T00:00Z")).name).toBe("2026-11-23T00:00Z");
    expect(periodAt("7d", at("2026-11-22T23:59:59.999Z")).name).toBe("2026-11-16T00:00Z");
    expect(periodAt("30d", at("2028-02-29T12:00Z")).endsAt).toBe(at("2028-03-01T00:00Z"));
  });

  test("holds its time, is followed by another one with another name, and is the same for all of its times", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...good),
        fc.integer({ min: 0, max: at("2199-01-01T00:00Z") }),
        fc.double({ min: 0, max: 1 }),
        (duration, now, share) => {
          const period = periodAt(duration, now);
          expect(period.startsAt).toBeLessThanOrEqual(now);
          expect(period.endsAt).toBeGreaterThan(now);
          const other = Math.min(period.endsAt - 1, Math.floor(period.startsAt + share * (period.endsAt - period.startsAt)));
          // NaN of a share is no time.
          if (!Number.isNaN(other)) expect(periodAt(duration, other)).toEqual(period);
          const next = periodAt(duration, period.endsAt);
          expect(next.startsAt).toBe(period.endsAt);
          expect(next.name).not.toBe(period.name);
          expect(at(period.name)).toBe(period.startsAt);
        },
      ),
    );
  });
});

test("durations that divide time alike have the same grid", () => {
  expect(gridOf("24h")).toBe(gridOf("1d"));
  expect(gridOf("30d")).toBe(gridOf("1mo"));
  expect(gridOf("7d")).toBe(gridOf("1w"));
  expect(gridOf("60d")).not.toBe(gridOf("2mo"));
  expect(new Set(["1s", "1m", "1h", "1d", "1w", "1mo"].map(gridOf)).size).toBe(6);
});

test("so long after a time is not aligned; a month later is the same day where there is one", () => {
  expect(after("30d", at("2026-11-25T13:47:21.500Z"))).toBe(at("2026-12-25T13:47:21.500Z"));
  expect(after("1mo", at("2026-01-31T01:02:03Z"))).toBe(at("2026-02-28T01:02:03Z"));
  expect(after("13mo", at("2026-12-31T00:00Z"))).toBe(at("2028-01-31T00:00Z"));
  expect(after("90s", 1000)).toBe(91_000);
});

test.each(["", "30", "d", "0d", "-1d", "1.5h", "1 d", "1D", "1M", "1y", "30d\n", "d30", "99999999999d", "36526d", "1218mo"])(
  "%j is none, and the error says what is",
  (text) => {
    expect(isDuration(text)).toBe(false);
    expect(() => periodAt(text, 0)).toThrow(/^found ".*", wanted a duration .* such as 30s, 10m, 24h, 7d, 1w, 30d or 1mo$/);
    expect(() => after(text, 0)).toThrow(RangeError);
  },
);
