import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { exhaustedBySuccess, readLimits } from "../../../core/attempts/limits.ts";
import type { HeaderList } from "../../../sdk/dialect.ts";

const now = Date.parse("2026-11-20T12:00:00Z");
const week = 7 * 24 * 3_600_000;
const hour = 3_600_000;
/** Seconds since 1970, so many ms from now. */
const at = (ms: number): string => String((now + ms) / 1000);

const unified = (entries: Readonly<Record<string, string>>): HeaderList =>
  Object.entries(entries).map(([name, value]) => [`anthropic-ratelimit-unified-${name}`, value] as const);

describe("what an upstream asks to wait", () => {
  it.each<readonly [string, HeaderList, number | undefined]>([
    ["seconds", [["retry-after", "30"]], 30_000],
    ["a fraction of a second", [["retry-after", "0.25"]], 250],
    ["spaces around it", [["retry-after", " 7 "]], 7000],
    ["a date", [["retry-after", "Fri, 20 Nov 2026 12:00:40 GMT"]], 40_000],
    ["milliseconds", [["retry-after-ms", "120"]], 120],
    [
      "milliseconds before seconds",
      [
        ["retry-after", "30"],
        ["retry-after-ms", "120"],
      ],
      120,
    ],
    [
      "seconds where the milliseconds are none",
      [
        ["retry-after", "30"],
        ["retry-after-ms", "soon"],
      ],
      30_000,
    ],
    ["N11: a week at most", [["retry-after", "1000000000"]], week],
    ["N11: a date in a hundred years", [["retry-after", "Fri, 20 Nov 2126 12:00:40 GMT"]], week],
    ["N11: nothing in what is no number", [["retry-after", "1e9"]], undefined],
    ["N11: nothing in garbage", [["retry-after", "later"]], undefined],
    ["N11: nothing in an empty text", [["retry-after", ""]], undefined],
    ["N11: nothing in a negative number", [["retry-after", "-5"]], undefined],
    ["N11: nothing in infinity", [["retry-after", "Infinity"]], undefined],
    ["N11: nothing in hexadecimals", [["retry-after", "0x10"]], undefined],
    ["N11: nothing in a date that is over", [["retry-after", "Fri, 20 Nov 2026 11:59:00 GMT"]], undefined],
    ["N11: nothing in another form of a date", [["retry-after", "2026-11-20T13:00:00Z"]], undefined],
    ["nothing in no time at all", [["retry-after", "0"]], undefined],
    ["nothing where nothing is said", [["date", "Fri, 20 Nov 2026 12:00:00 GMT"]], undefined],
  ])("is %s", (_, headers, expected) => {
    expect(readLimits(headers, now).retryAfterMs).toBe(expected);
  });

  it("is never more than a week nor less than a millisecond, whatever the headers hold", () => {
    const names = fc.constantFrom(
      "retry-after",
      "retry-after-ms",
      "x-ratelimit-remaining-tokens",
      "x-ratelimit-reset-tokens",
      "anthropic-ratelimit-tokens-remaining",
      "anthropic-ratelimit-tokens-reset",
      "anthropic-ratelimit-unified-status",
      "anthropic-ratelimit-unified-reset",
      "anthropic-ratelimit-unified-5h-status",
      "anthropic-ratelimit-unified-5h-reset",
    );
    const values = fc.oneof(
      fc.constantFrom("0", "rejected", "-1", "6m0s", "1e9", "NaN", "99999999999999999999", "Fri, 99 Nov 2026 12:00:40 GMT"),
      fc.integer().map(String),
      fc.double().map(String),
      fc.string(),
      fc.date({ noInvalidDate: true }).map((date) => date.toISOString()),
      fc.date({ noInvalidDate: true }).map((date) => date.toUTCString()),
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(names, values)), fc.nat(), (headers, clock) => {
        const { retryAfterMs, resetMs } = readLimits(headers, clock * 1000);
        for (const ms of [retryAfterMs, resetMs]) {
          if (ms === undefined) continue;
          expect(Number.isInteger(ms)).toBe(true);
          expect(ms).toBeGreaterThan(0);
          expect(ms).toBeLessThanOrEqual(week);
        }
      }),
    );
  });
});

describe("when there is room again", () => {
  it.each<readonly [string, HeaderList, number | undefined]>([
    [
      "OpenAI's minutes",
      [
        ["x-ratelimit-remaining-requests", "0"],
        ["x-ratelimit-reset-requests", "6m0s"],
      ],
      360_000,
    ],
    [
      "OpenAI's milliseconds",
      [
        ["x-ratelimit-remaining-tokens", "0"],
        ["x-ratelimit-reset-tokens", "12ms"],
      ],
      12,
    ],
    [
      "Groq's fractions",
      [
        ["x-ratelimit-remaining-requests", "0"],
        ["x-ratelimit-reset-requests", "2m59.56s"],
      ],
      179_560,
    ],
    [
      "hours, minutes and seconds",
      [
        ["x-ratelimit-remaining-requests", "0"],
        ["x-ratelimit-reset-requests", "1h2m3s"],
      ],
      3_723_000,
    ],
    [
      "Azure's plain seconds",
      [
        ["x-ratelimit-remaining-tokens", "0"],
        ["x-ratelimit-reset-tokens", "17"],
      ],
      17_000,
    ],
    [
      "nothing while something is left",
      [
        ["x-ratelimit-remaining-tokens", "5"],
        ["x-ratelimit-reset-tokens", "6m0s"],
      ],
      undefined,
    ],
    ["nothing where nobody says what is left", [["x-ratelimit-reset-tokens", "6m0s"]], undefined],
    [
      "nothing of Azure's -1",
      [
        ["x-ratelimit-remaining-tokens", "-1"],
        ["x-ratelimit-reset-tokens", "0"],
      ],
      undefined,
    ],
    [
      "nothing in garbage",
      [
        ["x-ratelimit-remaining-tokens", "0"],
        ["x-ratelimit-reset-tokens", "6 minutes"],
      ],
      undefined,
    ],
    [
      "Anthropic's instant",
      [
        ["anthropic-ratelimit-requests-remaining", "0"],
        ["anthropic-ratelimit-requests-reset", "2026-11-20T12:00:21Z"],
      ],
      21_000,
    ],
    [
      "an instant elsewhere",
      [
        ["anthropic-ratelimit-input-tokens-remaining", "0"],
        ["anthropic-ratelimit-input-tokens-reset", "2026-11-20T14:00:21.500+02:00"],
      ],
      21_500,
    ],
    [
      "nothing of an instant that is over",
      [
        ["anthropic-ratelimit-tokens-remaining", "0"],
        ["anthropic-ratelimit-tokens-reset", "2026-11-20T11:59:59Z"],
      ],
      undefined,
    ],
    [
      "nothing of an instant that is none",
      [
        ["anthropic-ratelimit-tokens-remaining", "0"],
        ["anthropic-ratelimit-tokens-reset", "tomorrow"],
      ],
      undefined,
    ],
    [
      "a week at most",
      [
        ["anthropic-ratelimit-tokens-remaining", "0"],
        ["anthropic-ratelimit-tokens-reset", "2036-11-20T11:59:59Z"],
      ],
      week,
    ],
  ])("is %s", (_, headers, expected) => {
    expect(readLimits(headers, now)).toEqual({ retryAfterMs: undefined, resetMs: expected, scope: undefined, exhausted: false });
  });

  it("is when the last of those opens that are used up", () => {
    const headers: HeaderList = [
      ["anthropic-ratelimit-requests-remaining", "12"],
      ["anthropic-ratelimit-requests-reset", "2026-11-20T13:00:00Z"],
      ["anthropic-ratelimit-input-tokens-remaining", "0"],
      ["anthropic-ratelimit-input-tokens-reset", "2026-11-20T12:00:10Z"],
      ["anthropic-ratelimit-output-tokens-remaining", "0"],
      ["anthropic-ratelimit-output-tokens-reset", "2026-11-20T12:00:30Z"],
    ];
    expect(readLimits(headers, now).resetMs).toBe(30_000);
  });
});

describe("F4: a plan that is used up", () => {
  it.each<readonly [string, HeaderList, ReturnType<typeof readLimits>]>([
    [
      "is the account's for five hours",
      unified({ status: "rejected", "representative-claim": "five_hour", reset: at(2 * hour) }),
      { retryAfterMs: undefined, resetMs: 2 * hour, scope: "account", exhausted: true },
    ],
    [
      "is the account's for the week",
      unified({ status: "rejected", "representative-claim": "seven_day", reset: at(90 * hour) }),
      { retryAfterMs: undefined, resetMs: 90 * hour, scope: "account", exhausted: true },
    ],
    [
      "is a model's, as its claim says",
      unified({ status: "rejected", "representative-claim": "seven_day_opus", reset: at(90 * hour) }),
      { retryAfterMs: undefined, resetMs: 90 * hour, scope: "deployment", exhausted: true },
    ],
    [
      "is a model's, under a name nobody knows yet",
      unified({ status: "rejected", "representative-claim": "seven_day_later_model", reset: at(hour) }),
      { retryAfterMs: undefined, resetMs: hour, scope: "deployment", exhausted: true },
    ],
    [
      "is the account's, where nothing more is said",
      unified({ status: "rejected" }),
      { retryAfterMs: undefined, resetMs: undefined, scope: "account", exhausted: true },
    ],
    [
      "is a model's whatever else is paid for: CLIProxyAPI#5915, 33 hours of a healthy account",
      [
        ...unified({
          status: "rejected",
          "representative-claim": "seven_day_overage_included",
          "5h-status": "allowed",
          "7d-status": "allowed",
          "7d_oi-status": "rejected",
          "7d_oi-reset": at(33 * hour),
          "overage-status": "rejected",
          "overage-reset": at(160 * hour),
          reset: at(33 * hour),
        }),
        ["retry-after", "118800"],
      ],
      { retryAfterMs: 33 * hour, resetMs: 33 * hour, scope: "deployment", exhausted: true },
    ],
    [
      "is a model's with both shared windows open, whatever the claim: CLIProxyAPI#5033",
      unified({
        status: "rejected",
        "representative-claim": "seven_day",
        "5h-status": "allowed",
        "7d-status": "allowed_warning",
        "7d_oi-status": "rejected",
      }),
      { retryAfterMs: undefined, resetMs: undefined, scope: "deployment", exhausted: true },
    ],
    [
      "is not the account's where only what is paid for beyond the plan is closed",
      unified({
        status: "rejected",
        "representative-claim": "five_hour",
        "5h-status": "allowed",
        "7d-status": "allowed",
        "overage-status": "rejected",
        reset: at(hour),
      }),
      { retryAfterMs: undefined, resetMs: hour, scope: "deployment", exhausted: true },
    ],
    [
      "is as its claim says where only one of the shared windows is told",
      unified({ status: "rejected", "representative-claim": "seven_day", "5h-status": "allowed", reset: at(hour) }),
      { retryAfterMs: undefined, resetMs: hour, scope: "account", exhausted: true },
    ],
    [
      "is the account's with a shared window closed, whatever the claim",
      unified({
        status: "rejected",
        "representative-claim": "seven_day_opus",
        "5h-status": "rejected",
        "5h-reset": at(hour),
        "7d_opus-status": "rejected",
        "7d_opus-reset": at(80 * hour),
      }),
      { retryAfterMs: undefined, resetMs: hour, scope: "account", exhausted: true },
    ],
    [
      "ends when the last of the windows opens: opencodex#3809",
      unified({
        status: "rejected",
        "representative-claim": "five_hour",
        reset: at(hour / 2),
        "5h-status": "rejected",
        "5h-reset": at(hour / 2),
        "7d-status": "rejected",
        "7d-reset": at(80 * hour),
      }),
      { retryAfterMs: undefined, resetMs: 80 * hour, scope: "account", exhausted: true },
    ],
    [
      "ends at once when its time is over: cc-bridge#27",
      unified({ status: "rejected", "representative-claim": "five_hour", reset: at(-hour) }),
      { retryAfterMs: undefined, resetMs: undefined, scope: "account", exhausted: true },
    ],
    [
      "is none where the status is allowed, whatever is left",
      [
        ...unified({ status: "allowed", "representative-claim": "five_hour", reset: at(hour), "7d-status": "rejected" }),
        ["retry-after", "3"],
      ],
      { retryAfterMs: 3000, resetMs: undefined, scope: undefined, exhausted: false },
    ],
    [
      "is none with a warning",
      unified({ status: "allowed_warning", "representative-claim": "seven_day", reset: at(hour) }),
      { retryAfterMs: undefined, resetMs: undefined, scope: undefined, exhausted: false },
    ],
    [
      "is none in a bare throttle: better-ccflare#375",
      [],
      { retryAfterMs: undefined, resetMs: undefined, scope: undefined, exhausted: false },
    ],
  ])("%s", (_, headers, expected) => {
    expect(readLimits(headers, now)).toEqual(expected);
  });
});

describe("F5: a plan that is used up on a success", () => {
  it("is told by its status: subrouter#26", () => {
    const headers = unified({ status: "rejected", "7d-status": "rejected", "7d-reset": at(50 * hour), "overage-in-use": "true" });
    expect(exhaustedBySuccess(headers, now)).toEqual({ retryAfterMs: undefined, resetMs: 50 * hour, scope: "account", exhausted: true });
  });

  it.each<readonly [string, HeaderList]>([
    ["no headers", []],
    ["a wait that is asked for", [["retry-after", "5"]]],
    [
      "a plan that may not be exceeded, and is not: smithers#1342",
      unified({ status: "allowed", "overage-status": "rejected", "overage-disabled-reason": "org_level_disabled" }),
    ],
    [
      "a minute's requests that are used up",
      [
        ["x-ratelimit-remaining-requests", "0"],
        ["x-ratelimit-reset-requests", "6m0s"],
      ],
    ],
  ])("is none in %s", (_, headers) => {
    expect(exhaustedBySuccess(headers, now)).toBeUndefined();
  });
});
