/** Users as LiteLLM's replies show them. */

import type { Json } from "../../sdk/body.ts";
import type { User, VirtualKey } from "../../sdk/keys.ts";
import { encodeKey, encodeSpend, type KeyStanding } from "./key-reply.ts";
import { encodeOwned } from "./owned-fields.ts";

type Reply = Readonly<Record<string, Json>>;

/** Of `/user/new`. @param made the key that was made with it, if any */
export function encodeNewUser(
  user: User,
  standing: KeyStanding,
  made: { readonly key: VirtualKey; readonly secret: string } | undefined,
): Reply {
  const key =
    made === undefined ? { key: null, token: null, key_name: null } : { key: made.secret, token: made.key.id, key_name: made.key.name };
  return { ...encodeUser(user, standing), ...key };
}

/** Of `/user/info`. */
export function encodeUserInfo(
  user: User,
  standing: KeyStanding,
  keys: readonly { readonly key: VirtualKey; readonly standing: KeyStanding }[],
): Reply {
  return {
    user_id: user.id,
    user_info: encodeUser(user, standing),
    keys: keys.map(({ key, standing }) => encodeKey(key, standing)),
  };
}

/** Of `/user/update`, and of each row of `/user/list`. */
export function encodeUser(user: User, standing: KeyStanding): Reply {
  return {
    ...(encodeOwned(user) as unknown as Reply),
    user_id: user.id,
    user_alias: user.alias ?? null,
    user_email: user.email ?? null,
    user_role: user.role ?? null,
    ...encodeSpend(user.budgetDuration, standing),
  };
}
