/** What people know a key by. Keys that were deleted are known by their id only. */

import type { KeyStore, VirtualKey } from "../../sdk/keys.ts";

export type KeyNames = ReadonlyMap<string, Pick<VirtualKey, "alias" | "name" | "teamId">>;

/** One reading for each key. @param ids with an empty one for what no key has asked */
export async function readKeyNames(keys: Pick<KeyStore, "get">, ids: Iterable<string>): Promise<KeyNames> {
  const wanted = [...new Set(ids)].filter((id) => id !== "");
  const found = await Promise.all(wanted.map(async (id) => await keys.get("key", id)));
  return new Map(found.flatMap((key) => (key === undefined ? [] : [[key.id, key]])));
}
