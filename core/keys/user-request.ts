/** Bodies of `/user/new` and `/user/update`, and what they make of a user. */

import { randomUUID } from "node:crypto";

import type { User } from "../../sdk/keys.ts";
import { flag, name, oneOf } from "./fields.ts";
import { newOwned, ownedFields, ownedOf } from "./owned-fields.ts";
import { applied, badRequest, field, readBody } from "./read-body.ts";

const userRoles = ["proxy_admin", "proxy_admin_viewer", "internal_user", "internal_user_viewer"] as const;

const userFields = {
  ...ownedFields,
  user_id: field(name),
  user_alias: field(name),
  user_email: field(name),
  user_role: field(oneOf(userRoles)),
};
type UserFields = ReturnType<typeof readBody<typeof userFields>>["fields"];

export interface NewUser {
  readonly user: User;
  /** LiteLLM makes a key for a new user unless it is told not to. */
  readonly isKeyWanted: boolean;
  readonly notes: readonly string[];
}

/** @param now ms since 1970 @throws ProxyError 400 */
export function decodeUserNew(body: unknown, now: number): NewUser {
  const { fields, notes } = readBody(body, { ...userFields, auto_create_key: field(flag) });
  const bare: User = { ...newOwned(now), id: fields.user_id ?? randomUUID(), role: "internal_user" };
  return { user: applied(bare, patchOf(fields)), isKeyWanted: fields.auto_create_key ?? true, notes };
}

export interface UserUpdate {
  readonly id: string;
  readonly change: (user: User) => User;
  readonly notes: readonly string[];
}

/** @param now ms since 1970 @throws ProxyError 400 */
export function decodeUserUpdate(body: unknown, now: number): UserUpdate {
  const { fields, notes } = readBody(body, userFields);
  if (fields.user_id == null) throw badRequest("user_id: found nothing, wanted the id of a user");
  const patch = { ...patchOf(fields), updatedAt: now };
  return { id: fields.user_id, change: (user) => applied(user, patch), notes };
}

function patchOf(fields: UserFields): { readonly [Name in keyof User]?: User[Name] | null | undefined } {
  return { ...ownedOf(fields), alias: fields.user_alias, email: fields.user_email, role: fields.user_role };
}
