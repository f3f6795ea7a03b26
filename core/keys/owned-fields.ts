/** What keys, users and teams have in common beside their limits, as LiteLLM's requests and replies name it. */

import type { z } from "zod";

import type { User } from "../../sdk/keys.ts";
import { flag, json, name, names } from "./fields.ts";
import { type Field, field, type JsonMapping } from "./read-body.ts";
import { encodeTerms, type ReadTerms, type TermsFields, termsFields, termsOf, type TermsReply } from "./terms-fields.ts";

export type Owned = Omit<User, "id" | "alias" | "email" | "role">;

export type OwnedFields = TermsFields & {
  readonly budget_id: Field<string>;
  readonly models: Field<readonly string[]>;
  readonly metadata: Field<JsonMapping>;
  readonly tags: Field<readonly string[]>;
  readonly blocked: Field<boolean>;
};

export const ownedFields: OwnedFields = {
  ...termsFields,
  budget_id: field(name),
  models: field(names),
  metadata: field(json),
  tags: field(names),
  blocked: field(flag),
};

type ReadOwned = ReadTerms & { readonly [Name in keyof OwnedFields]: z.output<OwnedFields[Name]> };
type OwnedPatch = { readonly [Name in keyof Owned]?: Owned[Name] | null | undefined };

/** What null takes away from a list or mapping is all of it. */
export function ownedOf(fields: ReadOwned): OwnedPatch {
  return {
    ...termsOf(fields),
    budgetId: fields.budget_id,
    models: emptied(fields.models, []),
    metadata: emptied(fields.metadata, {}),
    tags: emptied(fields.tags ?? tagsOf(fields.metadata), []),
    isBlocked: emptied(fields.blocked, false),
  };
}

/** For a record that is new. @param now ms since 1970 */
export function newOwned(now: number): Owned {
  return { models: [], metadata: {}, tags: [], isBlocked: false, createdAt: now, updatedAt: now };
}

export function emptied<Value>(value: Value | null | undefined, empty: Value): Value | undefined {
  return value === null ? empty : value;
}

/** Where LiteLLM keeps them, and where some of its clients write them. */
function tagsOf(metadata: JsonMapping | null | undefined): readonly string[] | undefined {
  const tags = metadata?.["tags"];
  return Array.isArray(tags) ? tags.filter((tag) => typeof tag === "string") : undefined;
}

export interface OwnedReply extends TermsReply {
  readonly budget_id: string | null;
  readonly models: readonly string[];
  readonly metadata: JsonMapping;
  readonly tags: readonly string[];
  readonly blocked: boolean;
  readonly created_at: string;
  readonly updated_at: string;
}

export function encodeOwned(owned: Owned): OwnedReply {
  return {
    ...encodeTerms(owned),
    budget_id: owned.budgetId ?? null,
    models: owned.models,
    metadata: owned.metadata,
    tags: owned.tags,
    blocked: owned.isBlocked,
    ...encodeTimes(owned),
  };
}

export function encodeTimes({ createdAt, updatedAt }: { readonly createdAt: number; readonly updatedAt: number }): {
  readonly created_at: string;
  readonly updated_at: string;
} {
  return { created_at: new Date(createdAt).toISOString(), updated_at: new Date(updatedAt).toISOString() };
}
