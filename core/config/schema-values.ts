/** The kinds of value that configuration keys take. */

import { z } from "zod";

/** What the generated documentation prints of a key. */
export interface KeyMeta {
  readonly description: string;
  /** Kind and unit of the value. */
  readonly type: string;
  /** In Markdown; absent where there is none. */
  readonly default?: string;
}

/** A mapping whose keys are those of an interface. */
export type MappingSchema<Keys> = z.ZodObject<{ readonly [Key in keyof Keys]-?: z.ZodType<Keys[Key]> }>;

/** A key that may be absent, which an empty value counts as. The description becomes its documentation. */
export function key<Value>(schema: z.ZodType<Value>, meta: KeyMeta): z.ZodType<Value | undefined> {
  const optional = schema.nullish().transform((value) => value ?? undefined);
  return optional.describe(meta.description).meta({ ...meta });
}

/** A key that must be there. */
export function requiredKey<Value>(schema: z.ZodType<Value>, meta: KeyMeta): z.ZodType<Value> {
  return schema.describe(meta.description).meta({ default: "required", ...meta });
}

export const text: z.ZodType<string> = z.string().min(1);

/** A key that travels in a header. One that was read from a file ends with a line break, which is no part of it. */
export const credential: z.ZodType<string> = z
  .string()
  .trim()
  .min(1)
  .regex(/^[\x21-\x7e]+$/, { error: "one word of letters, digits and signs, as headers carry it" });

/** Anything at all; read by code of its own, which reports what does not fit. */
export const anything: z.ZodType = z.unknown();

const spelledFlags: ReadonlyMap<string, boolean> = new Map([
  ["yes", true],
  ["on", true],
  ["no", false],
  ["off", false],
]);

/** PyYAML, for which older files were written, reads yes, no, on and off as booleans; YAML 1.2 as text. */
export const flag: z.ZodType<boolean> = z.preprocess(
  (value) => (typeof value === "string" ? (spelledFlags.get(value.toLowerCase()) ?? value) : value),
  z.boolean(),
);

/** A number that may come as text, since that is how a value of the environment arrives. */
export function numeric(schema: z.ZodType<number>): z.ZodType<number> {
  return z.preprocess(
    (value) => (typeof value === "string" && /^-?\d+(\.\d+)?(e[+-]?\d+)?$/i.test(value.trim()) ? Number(value) : value),
    schema,
  );
}

/** The longest wait that is taken for meant. */
const daySeconds = 86_400;

export const seconds: z.ZodType<number> = numeric(z.number().gt(0).max(daySeconds));
/** Seconds that may be none. */
export const duration: z.ZodType<number> = numeric(z.number().min(0).max(daySeconds));
export const milliseconds: z.ZodType<number> = numeric(
  z
    .number()
    .gt(0)
    .max(daySeconds * 1000),
);

/** Something countable that may be none. */
export const amount: z.ZodType<number> = numeric(z.number().min(0));

/** A whole number, small enough to count up to. */
export function count(least: number): z.ZodType<number> {
  return numeric(z.int().min(least));
}

export const portNumber: z.ZodType<number> = numeric(z.int().min(0).max(65_535));
