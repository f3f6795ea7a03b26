/** The kinds of value that fields of management requests have, each with the words that say what is wanted. */

import { z } from "zod";

import { type NanoDollars, toNanoDollars } from "../../sdk/money.ts";
import { numeric } from "../config/schema-values.ts";
import { isDuration } from "./durations.ts";
import type { JsonMapping } from "./read-body.ts";

/** Nano-dollars are exact up to there. */
const mostUsd = 9_000_000;
const longestText = 1000;
const mostEntries = 10_000;

function text(words: string, least = 1): z.ZodType<string> {
  return z
    .string({ error: words })
    .min(least, { error: words })
    .max(longestText, { error: `${words} of at most ${longestText} characters` });
}

export const name: z.ZodType<string> = text("text that is not empty");

export const duration: z.ZodType<string> = z
  .string({ error: "a duration such as 30s, 10m, 24h, 7d, 1w, 30d or 1mo" })
  .refine(isDuration, { error: "a duration such as 30s, 10m, 24h, 7d, 1w, 30d or 1mo" });

const usdWords = "US dollars, from 0 to 9 million";
export const usd: z.ZodType<NanoDollars> = numeric(
  z.number({ error: usdWords }).min(0, { error: usdWords }).max(mostUsd, { error: usdWords }),
).transform(toNanoDollars);

const countWords = "a whole number, 0 or more";
export const count: z.ZodType<number> = numeric(z.int({ error: countWords }).min(0, { error: countWords }));

export const flag: z.ZodType<boolean> = z.boolean({ error: "true or false" });

export function oneOf<const Words extends readonly string[]>(words: Words): z.ZodType<Words[number]> {
  return z.enum(words, { error: words.join(" or ") });
}

export function listOf<Value>(element: z.ZodType<Value>, words: string): z.ZodType<readonly Value[]> {
  const error = `a list of ${words}`;
  return z.array(element, { error }).max(mostEntries, { error: `${error}, at most ${mostEntries}` });
}

export const names: z.ZodType<readonly string[]> = listOf(name, "names");

export function mappingOf<Value>(value: z.ZodType<Value>, words: string): z.ZodType<Readonly<Record<string, Value>>> {
  return z.record(z.string(), value, { error: `a mapping of ${words}` });
}

/** JSON because the body was. */
export const json: z.ZodType<JsonMapping> = z.record(z.string(), z.unknown(), { error: "a mapping" }) as unknown as z.ZodType<JsonMapping>;
