/** `/key/block`, `/key/unblock` and `/key/delete`. */

import { z } from "zod";

import { encodeDeletedKeys, encodeUpdatedKey } from "../keys/key-reply.ts";
import { listOf, names } from "../keys/fields.ts";
import { badRequest, field, readBody } from "../keys/read-body.ts";
import { toId } from "../keys/secret.ts";
import { type AdminAnswer, type AdminRoute, type Asking, changing } from "./admin.ts";
import { mayManageKey } from "./admin-rights.ts";
import { standingOf } from "./admin-standings.ts";
import { changeKey, checkMayUnblock } from "./keys-make.ts";
import { noSuchKey } from "./keys-found.ts";

export const keyChangeRoutes: readonly AdminRoute[] = [
  changing("/key/block", setBlocked(true)),
  changing("/key/unblock", setBlocked(false)),
  changing("/key/delete", deleteKeys),
];

const keyWords = "a key, or its hash";
const oneKey = z.string({ error: keyWords }).min(1, { error: keyWords });

function setBlocked(isBlocked: boolean): AdminAnswer {
  return async (asking) => {
    const { fields, notes } = readBody(asking.body, { key: oneKey });
    const key = await changeKey(asking, toId(fields.key), (current) => {
      if (!mayManageKey(asking.admin, current)) throw noSuchKey("key");
      if (!isBlocked) checkMayUnblock(asking, current);
      return { ...current, isBlocked, updatedAt: asking.now };
    });
    return { body: encodeUpdatedKey(key, await standingOf(asking, "key", key)), notes, about: [key.id] };
  };
}

/** All of them or none. */
async function deleteKeys(asking: Asking): ReturnType<AdminAnswer> {
  const { fields, notes } = readBody(asking.body, { keys: field(listOf(oneKey, "keys")), key_aliases: field(names) });
  if ((fields.keys?.length ?? 0) === 0 && (fields.key_aliases?.length ?? 0) === 0)
    throw badRequest("keys: found nothing, wanted a list of keys or of their hashes, or key_aliases");
  const ids = new Set<string>();
  for (const [index, key] of (fields.keys ?? []).entries()) ids.add(await managedId(asking, toId(key), `keys[${index}]`));
  for (const [index, alias] of (fields.key_aliases ?? []).entries())
    ids.add(await managedId(asking, await idOfAlias(asking, alias), `key_aliases[${index}]`));
  const deleted = await asking.services.stores.keys.delete("key", [...ids]);
  return { body: encodeDeletedKeys(deleted), notes, about: deleted };
}

async function idOfAlias({ services }: Asking, alias: string): Promise<string> {
  const { records } = await services.stores.keys.list("key", { limit: 1, offset: 0 }, { alias });
  return records[0]?.id ?? "";
}

/** @throws ProxyError 404 */
async function managedId({ services, admin }: Asking, id: string, where: string): Promise<string> {
  const key = await services.stores.keys.get("key", id);
  if (key === undefined || !mayManageKey(admin, key)) throw noSuchKey(where);
  return key.id;
}
