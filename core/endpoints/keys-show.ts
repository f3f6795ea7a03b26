/** `GET /key/info` and `/key/list`. */

import type { KeyFilter, VirtualKey } from "../../sdk/keys.ts";
import { encodeKeyInfo, encodeKeyList } from "../keys/key-reply.ts";
import { badRequest } from "../keys/read-body.ts";
import { toId } from "../keys/secret.ts";
import { type AdminReply, type AdminRoute, type Asking, reading } from "./admin.ts";
import { maySeeKey, seesAll } from "./admin-rights.ts";
import { standingOf, withStandings } from "./admin-standings.ts";
import { allOf, findKey } from "./keys-found.ts";
import { countParameter, flagParameter, textParameter } from "./spend-query.ts";

export const keyShowRoutes: readonly AdminRoute[] = [reading("/key/info", showKey), reading("/key/list", listKeys)];

const usualSize = 10;
const mostSize = 100;

/** Without a key: the one that asks. */
async function showKey(asking: Asking): Promise<AdminReply> {
  const { ctx, admin } = asking;
  const named = textParameter(ctx, "key");
  const id = named === undefined ? (admin.kind === "key" ? admin.holder.key.id : undefined) : toId(named);
  if (id === undefined) throw badRequest("key: found nothing, wanted a key, or its hash");
  const key = await findKey(asking, id);
  const standing = await standingOf(asking, "key", key);
  return { body: encodeKeyInfo(key, standing) };
}

async function listKeys(asking: Asking): Promise<AdminReply> {
  const { ctx } = asking;
  const page = countParameter(ctx, "page", 1, 1_000_000);
  const size = countParameter(ctx, "size", usualSize, mostSize);
  const isFull = flagParameter(ctx, "return_full_object", false);
  const filter = {
    userId: textParameter(ctx, "user_id"),
    teamId: textParameter(ctx, "team_id"),
    alias: textParameter(ctx, "key_alias"),
  };
  const { records, total } = await visiblePage(asking, filter, { limit: size, offset: (page - 1) * size });
  const rows = isFull
    ? await withStandings(asking, "key", records)
    : records.map((record) => ({ record, standing: { spent: 0, now: asking.now } }));
  const keys = rows.map(({ record: key, standing }) => ({ key, standing }));
  return { body: encodeKeyList({ keys, total, page, size }, isFull) };
}

interface Page {
  readonly limit: number;
  readonly offset: number;
}

/** Which keys somebody is in charge of no store can tell: then all that may be are looked at. */
async function visiblePage(
  asking: Asking,
  filter: KeyFilter,
  page: Page,
): Promise<{ readonly records: readonly VirtualKey[]; readonly total: number }> {
  const { admin, services } = asking;
  if (seesAll(admin)) return await services.stores.keys.list("key", page, filter);
  const visible = (await allOf(asking, "key", filter)).filter((key) => maySeeKey(admin, key));
  return { records: visible.slice(page.offset, page.offset + page.limit), total: visible.length };
}
