/** Rule: matches within some hours of the day, on some days of the week, in a time zone. */

import { defineRule, param } from "ccproxy/sdk";

const dayNames = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"] as const;

/** Minutes since midnight. */
const clock = param.custom('a time such as "22:30" (in quotes: YAML reads it as a number otherwise)', (raw) => {
  const [, hours, minutes] = typeof raw === "string" ? (/^([01]?\d|2[0-4]):([0-5]\d)$/.exec(raw) ?? []) : [];
  const total = Number(hours) * 60 + Number(minutes);
  return hours === undefined || total > 1440 ? undefined : total;
});

const timeZone = param.custom("a time zone such as Europe/Berlin", (raw) => (typeof raw === "string" && isTimeZone(raw) ? raw : undefined));

export default defineRule({
  summary: "certain hours of the day",
  params: {
    start: clock,
    /** Not included. Before the start: it goes on past midnight. The same as the start: the whole day. */
    end: clock,
    tz: timeZone.default("UTC"),
    /** Days on which it starts. */
    days: param.list(param.choice(...dayNames)).default(dayNames),
  },

  evaluate(_request, { start, end, tz, days }, context) {
    const { day, minute } = localTime(context.now, tz);
    const startsOn = (offset: number): boolean => days.includes(dayNames[(day + offset + 7) % 7] ?? "mon");
    if (start < end) return startsOn(0) && minute >= start && minute < end;
    // Past midnight it is still the evening of the day before.
    return (startsOn(0) && minute >= start) || (startsOn(-1) && minute < end);
  },
});

/** @returns day counted from Monday as 0 */
function localTime(now: number, timeZone: string): { readonly day: number; readonly minute: number } {
  const format = new Intl.DateTimeFormat("en-US", { timeZone, hourCycle: "h23", weekday: "short", hour: "2-digit", minute: "2-digit" });
  const parts = new Map(format.formatToParts(now).map(({ type, value }) => [type, value]));
  const weekday = parts.get("weekday")?.toLowerCase() ?? "";
  return {
    day: dayNames.findIndex((name) => weekday.startsWith(name)),
    minute: Number(parts.get("hour")) * 60 + Number(parts.get("minute")),
  };
}

function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat("en-US", { timeZone: name }).resolvedOptions().timeZone !== "";
  } catch {
    return false;
  }
}
