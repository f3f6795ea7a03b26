/** Keys as LiteLLM's replies show them: the secret once, to whoever has made the key. */

import type { Json } from "../../sdk/body.ts";
import type { Budget, VirtualKey } from "../../sdk/keys.ts";
import { type NanoDollars, toUsd } from "../../sdk/money.ts";
import { encodeBudget } from "./budget-reply.ts";
import { periodAt } from "./durations.ts";
import { encodeOwned } from "./owned-fields.ts";

/** What is known of a key beside the key. */
export interface KeyStanding {
  /** In the current period of its budget. */
  readonly spent: NanoDollars;
  /** ms since 1970. */
  readonly now: number;
  /** That it names by its `budgetId`. */
  readonly shared?: Budget | undefined;
}

type Reply = Readonly<Record<string, Json>>;

/** Of `/key/generate`. */
export function encodeGeneratedKey(key: VirtualKey, secret: string, standing: KeyStanding): Reply {
  return { key: secret, ...encodeKey(key, standing), token_id: key.id };
}

/** Of `/key/info`. */
export function encodeKeyInfo(key: VirtualKey, standing: KeyStanding): Reply {
  return { key: key.id, info: encodeKey(key, standing) };
}

/** Of `/key/update`: as it is now. */
export function encodeUpdatedKey(key: VirtualKey, standing: KeyStanding): Reply {
  return { key: key.id, ...encodeKey(key, standing) };
}

/** Of `/key/delete`. */
export function encodeDeletedKeys(ids: readonly string[]): Reply {
  return { deleted_keys: ids };
}

export interface KeyPage {
  readonly keys: readonly { readonly key: VirtualKey; readonly standing: KeyStanding }[];
  readonly total: number;
  /** From 1. */
  readonly page: number;
  readonly size: number;
}

/** Of `/key/list`. @param isFull `return_full_object`: the keys, not their ids only */
export function encodeKeyList({ keys, total, page, size }: KeyPage, isFull: boolean): Reply {
  return {
    keys: keys.map(({ key, standing }) => (isFull ? encodeKey(key, standing) : key.id)),
    total_count: total,
    current_page: page,
    total_pages: Math.ceil(total / Math.max(1, size)),
  };
}

export function encodeKey(key: VirtualKey, standing: KeyStanding): Reply {
  return {
    ...(encodeOwned(key) as unknown as Reply),
    token: key.id,
    key_name: key.name,
    key_alias: key.alias ?? null,
    user_id: key.userId ?? null,
    team_id: key.teamId ?? null,
    aliases: key.aliases,
    allowed_routes: key.allowedRoutes,
    allowed_ips: key.allowedAddresses,
    allowed_cache_controls: key.allowedCacheControls ?? null,
    expires: key.expiresAt === undefined ? null : new Date(key.expiresAt).toISOString(),
    created_by: key.createdBy ?? null,
    ...encodeSpend(key.budgetDuration, standing),
  };
}

export function encodeSpend(ownDuration: string | undefined, { spent, now, shared }: KeyStanding): Reply {
  const duration = ownDuration ?? shared?.budgetDuration;
  const endsAt = duration === undefined ? undefined : periodAt(duration, now).endsAt;
  return {
    spend: toUsd(spent),
    budget_reset_at: endsAt === undefined ? null : new Date(endsAt).toISOString(),
    ...(shared === undefined ? {} : { litellm_budget_table: encodeBudget(shared) }),
  };
}
