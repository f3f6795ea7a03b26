/** `GET /spend/keys` and `/spend/users`: keys and users with what they have spent. */

import type { Context } from "koa";

import type { Json } from "../../sdk/body.ts";
import type { KeyStore, Kinds } from "../../sdk/keys.ts";
import type { LedgerFilter } from "../../sdk/ledger.ts";
import { encodeKey } from "../keys/key-reply.ts";
import { encodeUser } from "../keys/user-reply.ts";
import { withSpent } from "../reports/standings.ts";
import { textParameter } from "./spend-query.ts";
import type { SpendReader } from "./spend-reader.ts";

const pageSize = 500;

export async function answerSpendKeys(reader: SpendReader, ctx: Context): Promise<void> {
  const filter = reader.scopeOf(ctx);
  const { now, ledger, keys } = reader;
  const rows = await withSpent(ledger, "key", await visibleKeys(keys, filter), { filter, now });
  reader.answer(
    ctx,
    rows.map(({ record, spent }): Json => encodeKey(record, { spent, now })),
  );
}

export async function answerSpendUsers(reader: SpendReader, ctx: Context): Promise<void> {
  const filter = reader.filter(ctx, { userId: textParameter(ctx, "user_id") });
  const { now, ledger, keys } = reader;
  const users = filter === undefined ? [] : await visibleUsers(keys, filter);
  const rows = await withSpent(ledger, "user", users, { filter: filter ?? {}, now });
  reader.answer(
    ctx,
    rows.map(({ record, spent }): Json => encodeUser(record, { spent, now })),
  );
}

async function visibleKeys(keys: KeyStore, { keyId, userId, teamId }: LedgerFilter): Promise<readonly Kinds["key"][]> {
  if (keyId === undefined) return await all(keys, "key", { userId, teamId });
  const key = await keys.get("key", keyId);
  const isVisible = key !== undefined && (userId === undefined || key.userId === userId) && (teamId === undefined || key.teamId === teamId);
  return isVisible ? [key] : [];
}

/** Whoever is bound to a key or a team, and is no user, sees no users. */
async function visibleUsers(keys: KeyStore, { keyId, userId, teamId }: LedgerFilter): Promise<readonly Kinds["user"][]> {
  if (userId !== undefined) {
    const user = await keys.get("user", userId);
    return user === undefined ? [] : [user];
  }
  return keyId === undefined && teamId === undefined ? await all(keys, "user") : [];
}

async function all<K extends "key" | "user">(
  keys: KeyStore,
  kind: K,
  filter: Parameters<KeyStore["list"]>[2] = {},
): Promise<readonly Kinds[K][]> {
  const records: Kinds[K][] = [];
  for (;;) {
    const page = await keys.list(kind, { limit: pageSize, offset: records.length }, filter);
    records.push(...page.records);
    if (page.records.length < pageSize) return records;
  }
}
