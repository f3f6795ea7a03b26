/** Parameters of the spend endpoints. What cannot be read is refused by name; parameters that nobody knows have no effect. */

import type { Context } from "koa";

import { quote } from "../config/describe.ts";
import { after, isDuration } from "../keys/durations.ts";
import { badRequest } from "../keys/read-body.ts";

const dayMs = 86_400_000;
const dateForm = /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}(?::\d{2}(?:\.\d{1,6})?)?)(Z|[+-]\d{2}:?\d{2})?)?$/;

/** ms since 1970; `to` is the first one after. */
export interface Range {
  readonly from: number | undefined;
  readonly to: number | undefined;
}

/** Undefined where it is absent or empty. @throws ProxyError 400 */
export function textParameter(ctx: Context, name: string): string | undefined {
  const value = ctx.query[name];
  if (Array.isArray(value)) throw badRequest(`${name}: found ${value.length} values, wanted one`);
  return value === undefined || value === "" ? undefined : value;
}

/** `start_date` and `end_date`, days of UTC or times; a day that ends a range is in it. @throws ProxyError 400 */
export function rangeOf(ctx: Context): Range {
  const from = timeParameter(ctx, "start_date")?.startsAt;
  const to = timeParameter(ctx, "end_date")?.endsAt;
  if (from !== undefined && to !== undefined && from >= to) throw badRequest("start_date: it is after end_date");
  return { from, to };
}

/** @throws ProxyError 400 where one of the dates is missing */
export function requiredRangeOf(ctx: Context): { readonly from: number; readonly to: number } {
  const { from, to } = rangeOf(ctx);
  const missing = from === undefined ? "start_date" : "end_date";
  if (from === undefined || to === undefined) throw badRequest(`${missing}: found nothing, wanted ${dateWords}`);
  return { from, to };
}

const dateWords = "a date such as 2026-11-23, or a time such as 2026-11-23T18:30:00Z";

function timeParameter(ctx: Context, name: string): { readonly startsAt: number; readonly endsAt: number } | undefined {
  const text = textParameter(ctx, name);
  if (text === undefined) return undefined;
  const found = readTime(text);
  if (found === undefined) throw badRequest(`${name}: found ${quote(text)}, wanted ${dateWords}`);
  return found;
}

/** Without a zone: UTC. */
function readTime(text: string): { readonly startsAt: number; readonly endsAt: number } | undefined {
  const [, day, clock, zone = "Z"] = dateForm.exec(text) ?? [];
  if (day === undefined) return undefined;
  const midnight = Date.parse(`${day}T00:00:00Z`);
  // The 30th of February would be a day of March.
  if (Number.isNaN(midnight) || new Date(midnight).toISOString().slice(0, 10) !== day) return undefined;
  if (clock === undefined) return { startsAt: midnight, endsAt: midnight + dayMs };
  const time = Date.parse(`${day}T${clock}${zone}`);
  return Number.isNaN(time) ? undefined : { startsAt: time, endsAt: time + 1 };
}

/** `7d`, `24h`, `1mo`, a date, a time, or `all`. @returns ms since 1970, undefined for `all` @throws ProxyError 400 */
export function sinceParameter(ctx: Context, now: number, usual: string): number | undefined {
  const text = textParameter(ctx, "since") ?? usual;
  if (text === "all") return undefined;
  // As long ago as a duration from 1970 on is long.
  const from = isDuration(text) ? now - after(text, 0) : readTime(text)?.startsAt;
  if (from === undefined)
    throw badRequest(`since: found ${quote(text)}, wanted a duration such as 24h, 7d or 1mo, a date such as 2026-11-23, or all`);
  return from;
}

export function choiceParameter<const Word extends string>(ctx: Context, name: string, words: readonly Word[], usual: Word): Word {
  const text = textParameter(ctx, name);
  if (text === undefined) return usual;
  const word = words.find((candidate) => candidate === text);
  if (word === undefined) throw badRequest(`${name}: found ${quote(text)}, wanted ${listed(words)}`);
  return word;
}

export function flagParameter(ctx: Context, name: string, usual: boolean): boolean {
  const text = textParameter(ctx, name)?.toLowerCase();
  if (text === undefined) return usual;
  if (["true", "1", "yes", "on"].includes(text)) return true;
  if (["false", "0", "no", "off"].includes(text)) return false;
  throw badRequest(`${name}: found ${quote(text)}, wanted true or false`);
}

/** From 1. */
export function countParameter(ctx: Context, name: string, usual: number, most: number): number {
  const text = textParameter(ctx, name);
  if (text === undefined) return usual;
  const count = /^\d{1,9}$/.test(text) ? Number(text) : 0;
  if (count < 1 || count > most) throw badRequest(`${name}: found ${quote(text)}, wanted a whole number from 1 to ${most}`);
  return count;
}

function listed(words: readonly string[]): string {
  return `${words.slice(0, -1).join(", ")} or ${words.at(-1) ?? ""}`;
}
