/**
 * What upstreams say of their limits in headers: when to come back, and what is used up.
 *
 * Names and forms: https://platform.claude.com/docs/en/api/rate-limits (RFC 3339), those of subscriptions
 * (`anthropic-ratelimit-unified-*`, seconds since 1970) as seen by router-for-me/CLIProxyAPI#5915, #5920, #5033 and
 * manaflow-ai/subrouter#24, #26; https://platform.openai.com/docs/guides/rate-limits (`6m0s`), which Azure says in plain seconds.
 */

import type { HeaderList } from "../../sdk/dialect.ts";

export interface Limits {
  /** What the upstream asks to wait; at most seven days. */
  readonly retryAfterMs: number | undefined;
  /** When what is used up is there again; likewise. */
  readonly resetMs: number | undefined;
  /** Whom it holds for, where the headers say so: this model, or everything behind the key. */
  readonly scope: "deployment" | "account" | undefined;
  /** A plan is used up, which is more than too many requests at a time. */
  readonly exhausted: boolean;
}

/** No window of any vendor is longer. */
const longestMs = 7 * 24 * 3_600_000;

/** @param wallClock ms since 1970 */
export function readLimits(headers: HeaderList, wallClock: number): Limits {
  if (headers.length === 0) return nothing;
  const reader = new Map(headers);
  const retryAfterMs = readRetryAfter(reader, wallClock);
  const plan = readPlan(reader, wallClock);
  if (plan !== undefined) return { retryAfterMs, ...plan, exhausted: true };
  return { retryAfterMs, resetMs: readWindows(reader, wallClock), scope: undefined, exhausted: false };
}

const nothing: Limits = { retryAfterMs: undefined, resetMs: undefined, scope: undefined, exhausted: false };

/**
 * Of a reply that is none of a failure: a subscription that is used up may be answered nevertheless, at the price of
 * extra usage, and the client takes the header for a limit. Undefined where nothing is used up.
 */
export function exhaustedBySuccess(headers: HeaderList, wallClock: number): Limits | undefined {
  if (!headers.some(([name]) => name === unifiedStatus)) return undefined;
  const limits = readLimits(headers, wallClock);
  return limits.exhausted ? limits : undefined;
}

type Headers = ReadonlyMap<string, string>;

/** In ms, then in seconds or as a date; a time that is over says nothing. */
function readRetryAfter(headers: Headers, wallClock: number): number | undefined {
  const fine = headers.get("retry-after-ms");
  const inMs = fine === undefined ? undefined : within(figure(fine));
  if (inMs !== undefined) return inMs;
  const coarse = headers.get("retry-after");
  if (coarse === undefined) return undefined;
  const seconds = figure(coarse);
  if (seconds !== undefined) return within(seconds * 1000);
  return httpDate.test(coarse) ? within(Date.parse(coarse) - wallClock) : undefined;
}

/** `Wed, 21 Oct 2026 07:28:00 GMT`, the only form that is still sent. */
const httpDate = /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/;

const unifiedStatus = "anthropic-ratelimit-unified-status";

/** Windows that hold for every model of a subscription. */
const sharedWindows = ["5h", "7d"] as const;
const sharedClaims = new Set(["five_hour", "seven_day"]);

/** Of a subscription; undefined where it is not used up. A throttle that passes comes with `allowed`, or without a status. */
function readPlan(headers: Headers, wallClock: number): Pick<Limits, "resetMs" | "scope"> | undefined {
  if (headers.get(unifiedStatus) !== "rejected") return undefined;
  const scope = scopeOfPlan(headers);
  const windows = rejectedWindows(headers).filter((window) => (scope === "account") === isShared(window));
  const resets = windows.flatMap((window) => epoch(headers.get(`anthropic-ratelimit-unified-${window}-reset`), wallClock) ?? []);
  // Each window has to be open: the last one counts.
  const resetMs = resets.length === 0 ? epoch(headers.get("anthropic-ratelimit-unified-reset"), wallClock) : Math.max(...resets);
  return { resetMs, scope };
}

/**
 * What the windows themselves say goes before the claim, which names only one of them: with both shared ones open, some
 * model's own is meant, or what is paid for beyond the plan.
 */
function scopeOfPlan(headers: Headers): "deployment" | "account" {
  const shared = sharedWindows.map((window) => headers.get(`anthropic-ratelimit-unified-${window}-status`));
  if (shared.includes("rejected")) return "account";
  if (shared.every((status) => status !== undefined)) return "deployment";
  const claim = headers.get("anthropic-ratelimit-unified-representative-claim");
  return claim === undefined || sharedClaims.has(claim) ? "account" : "deployment";
}

function isShared(window: string): boolean {
  return sharedWindows.some((shared) => shared === window);
}

function rejectedWindows(headers: Headers): readonly string[] {
  return [...headers].flatMap(([name, value]) => {
    const window = value === "rejected" ? windowStatus.exec(name)?.[1] : undefined;
    return window === undefined ? [] : [window];
  });
}

/** `…-5h-status`, `…-7d_oi-status`; that of what is paid for beyond the plan is no window. */
const windowStatus = /^anthropic-ratelimit-unified-(\d\w*)-status$/;

/** Windows of a minute or so: of those that are used up, the one that opens last. */
function readWindows(headers: Headers, wallClock: number): number | undefined {
  const resets = [
    ...anthropicWindows.map((what) => {
      const prefix = `anthropic-ratelimit-${what}`;
      return isUsedUp(headers.get(`${prefix}-remaining`)) ? instant(headers.get(`${prefix}-reset`), wallClock) : undefined;
    }),
    ...openaiWindows.map((what) => {
      return isUsedUp(headers.get(`x-ratelimit-remaining-${what}`)) ? duration(headers.get(`x-ratelimit-reset-${what}`)) : undefined;
    }),
  ].filter((reset) => reset !== undefined);
  return resets.length === 0 ? undefined : Math.max(...resets);
}

const anthropicWindows = ["requests", "tokens", "input-tokens", "output-tokens"] as const;
const openaiWindows = ["requests", "tokens"] as const;

/** Resets are told with every answer: they mean something only where nothing is left. */
function isUsedUp(remaining: string | undefined): boolean {
  return remaining !== undefined && figure(remaining) === 0;
}

/** RFC 3339. */
function instant(value: string | undefined, wallClock: number): number | undefined {
  if (value === undefined || !/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?(?:Z|[+-]\d{2}:\d{2})$/.test(value)) return undefined;
  return within(Date.parse(value) - wallClock);
}

/** Seconds since 1970. */
function epoch(value: string | undefined, wallClock: number): number | undefined {
  const seconds = value === undefined ? undefined : figure(value);
  return seconds === undefined ? undefined : within(seconds * 1000 - wallClock);
}

const unitsMs: ReadonlyMap<string, number> = new Map([
  ["h", 3_600_000],
  ["m", 60_000],
  ["s", 1000],
  ["ms", 1],
  ["us", 0.001],
  ["µs", 0.001],
  ["ns", 0.000_001],
]);

/** `6m0s`, `12ms`, `7.66s`; plain figures are seconds. */
function duration(value: string | undefined): number | undefined {
  if (value === undefined) return undefined;
  const seconds = figure(value);
  if (seconds !== undefined) return within(seconds * 1000);
  if (!/^(?:\d{1,12}(?:\.\d{1,12})?(?:h|m|s|ms|us|µs|ns)){1,6}$/.test(value)) return undefined;
  let ms = 0;
  for (const [, count = "", unit = ""] of value.matchAll(/([\d.]+)([^\d.]+)/g)) ms += Number(count) * (unitsMs.get(unit) ?? 0);
  return within(ms);
}

/** Undefined for what is no plain figure of at least 0. */
function figure(value: string): number | undefined {
  return /^\d{1,20}(?:\.\d{1,20})?$/.test(value.trim()) ? Number(value) : undefined;
}

/** Whole ms; never more than a vendor could mean, and nothing where the time is over. */
function within(ms: number | undefined): number | undefined {
  return ms === undefined || !(ms > 0) ? undefined : Math.min(Math.ceil(ms), longestMs);
}
