/** Reads the JSON body of a management request by its fields: all that is wrong with it in one error, and what nobody knows in a note. */

import { z } from "zod";

import type { Json } from "../../sdk/body.ts";
import { ProxyError } from "../../sdk/errors.ts";
import { describeValue, quote, showValue } from "../config/describe.ts";
import { didYouMean } from "../config/suggest.ts";
import { pathText, valueAt } from "../config/tree.ts";

/** Undefined: the field is not there. Null: it is there, and empty, which in an update takes away what was set. */
export type Field<Value> = z.ZodType<Value | null | undefined>;
export type Shape = Readonly<Record<string, z.ZodType>>;

export interface ReadBody<Fields extends Shape> {
  readonly fields: { readonly [Name in keyof Fields]: z.output<Fields[Name]> };
  /** For whoever sent it: fields that had no effect. */
  readonly notes: readonly string[];
}

/** A field that may be absent or null. */
export function field<Value>(schema: z.ZodType<Value>): Field<Value> {
  return schema.nullish();
}

/** Fields whose value is a secret, or may be one. */
const secretFields: ReadonlySet<unknown> = new Set(["key", "keys", "token"]);
const mostProblems = 10;
const mostNotes = 20;

/** @throws ProxyError 400 with what was found, what was wanted, and where */
export function readBody<Fields extends Shape>(body: unknown, shape: Fields): ReadBody<Fields> {
  const schema = z.object({ ...shape }, { error: "a JSON object" });
  const result = schema.safeParse(body);
  if (!result.success) {
    const told = new Map<string, string>();
    for (const { path, message } of result.error.issues) {
      const at = path.filter((segment) => typeof segment !== "symbol");
      const where = at.length === 0 ? "the body" : pathText(at);
      const value = valueAt(body, at);
      const found = secretFields.has(at[0]) ? describeValue(value) : showValue(value, at);
      if (!told.has(where)) told.set(where, `${where}: found ${found === "missing" ? "nothing" : found}, wanted ${message}`);
    }
    throw badRequest([...told.values()].slice(0, mostProblems).join("; "));
  }
  // The schema has let nothing else pass.
  const unknown = Object.keys(body as object).filter((name) => !Object.hasOwn(shape, name));
  const notes = unknown
    .slice(0, mostNotes)
    .map((name) => `${quote(name)} is no field that is known here; it has no effect.${didYouMean(name.slice(0, 100), Object.keys(shape))}`);
  return { fields: result.data as ReadBody<Fields>["fields"], notes };
}

export function badRequest(message: string): ProxyError {
  return new ProxyError(message, { status: 400, kind: "invalid_request_error" });
}

type Patch<Target> = { readonly [Name in keyof Target]?: Target[Name] | null | undefined };

/** What a patch does not name stays; what it names as null is gone. */
export function applied<Target extends object>(record: Target, patch: Patch<Target>): Target {
  const entries = Object.entries({ ...record, ...withoutUndefined(patch) });
  return Object.fromEntries(entries.filter(([, value]) => value !== null && value !== undefined)) as Target;
}

function withoutUndefined(patch: object): object {
  return Object.fromEntries(Object.entries(patch).filter(([, value]) => value !== undefined));
}

/** Metadata and the like are JSON because the body was. */
export type JsonMapping = Readonly<Record<string, Json>>;
