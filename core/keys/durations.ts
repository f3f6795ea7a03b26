/** LiteLLM's durations (`30s`, `10m`, `24h`, `7d`, `1w`, `30d`, `1mo`), and the periods of UTC into which they divide time. */

import { quote } from "../config/describe.ts";

export interface Period {
  /** Its beginning, `2026-11-23T00:00Z`; with seconds where it does not begin with a minute. */
  readonly name: string;
  /** ms since 1970. */
  readonly startsAt: number;
  /** The first ms that is no part of it. */
  readonly endsAt: number;
}

type Duration = { readonly unit: "ms"; readonly length: number } | { readonly unit: "month"; readonly length: number };

const dayMs = 86_400_000;
const weekMs = 7 * dayMs;
const unitMs: ReadonlyMap<string, number> = new Map([
  ["s", 1000],
  ["m", 60_000],
  ["h", 3_600_000],
  ["d", dayMs],
  ["w", weekMs],
]);
/** 1970 began with a Thursday. */
const firstMonday = 4 * dayMs;
/** A hundred years: what is longer is most likely not meant, and would leave what dates can hold. */
const longestMs = 36_525 * dayMs;
const monthMs = 30 * dayMs;

export function isDuration(text: string): boolean {
  return read(text) !== undefined;
}

/**
 * The period that a time is in: whole days begin at midnight, weeks on Monday, `30d` and months on the 1st. All others are counted from
 * the beginning of 1970, or its first Monday where they are whole weeks, so that every process finds the same.
 *
 * @param now ms since 1970
 * @throws RangeError that says what is wrong with the duration
 */
export function periodAt(duration: string, now: number): Period {
  const { unit, length } = toGrid(parse(duration));
  if (unit === "month") {
    const date = new Date(now);
    const month = (date.getUTCFullYear() - 1970) * 12 + date.getUTCMonth();
    const first = Math.floor(month / length) * length;
    return named(Date.UTC(1970, first), Date.UTC(1970, first + length));
  }
  const origin = length % weekMs === 0 ? firstMonday : 0;
  const startsAt = origin + Math.floor((now - origin) / length) * length;
  return named(startsAt, startsAt + length);
}

/** Two durations with the same grid divide time alike: `1d` and `24h`, `30d` and `1mo`. @throws RangeError */
export function gridOf(duration: string): string {
  const { unit, length } = toGrid(parse(duration));
  return `${length} ${unit}`;
}

/**
 * So long after a time, not aligned with anything: when a key expires. A month later is the same day, or the last one of a shorter month.
 *
 * @throws RangeError
 */
export function after(duration: string, now: number): number {
  const { unit, length } = parse(duration);
  if (unit === "ms") return now + length;
  const date = new Date(now);
  const day = date.getUTCDate();
  date.setUTCDate(1);
  date.setUTCMonth(date.getUTCMonth() + length);
  const lastDay = new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 0)).getUTCDate();
  return date.setUTCDate(Math.min(day, lastDay));
}

function parse(text: string): Duration {
  const duration = read(text);
  if (duration === undefined)
    throw new RangeError(`found ${quote(text)}, wanted a duration of at most 100 years such as 30s, 10m, 24h, 7d, 1w, 30d or 1mo`);
  return duration;
}

function read(text: string): Duration | undefined {
  const [, digits = "", unit = ""] = /^(\d{1,10})(s|m|h|d|w|mo)$/.exec(text) ?? [];
  const count = Number(digits);
  const ms = unit === "mo" ? monthMs : (unitMs.get(unit) ?? 0);
  if (count === 0 || ms === 0 || count * ms > longestMs) return undefined;
  return unit === "mo" ? { unit: "month", length: count } : { unit: "ms", length: count * ms };
}

/** LiteLLM takes 30 days for a month of the calendar. */
function toGrid(duration: Duration): Duration {
  return duration.unit === "ms" && duration.length === monthMs ? { unit: "month", length: 1 } : duration;
}

function named(startsAt: number, endsAt: number): Period {
  const text = new Date(startsAt).toISOString();
  return { name: `${text.slice(0, startsAt % 60_000 === 0 ? 16 : 19)}Z`, startsAt, endsAt };
}
