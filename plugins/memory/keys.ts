/** Virtual keys and whom they belong to, of one process: nothing outlives it. */

import { type KeyFilter, type KeyStore, type Kind, type Kinds, TakenError } from "../../sdk/keys.ts";

type Tables = { readonly [K in Kind]: Map<string, Kinds[K]> };

export function createMemoryKeys(): KeyStore {
  const tables: Tables = { key: new Map(), user: new Map(), team: new Map(), budget: new Map() };
  /** Of keys: which id has an alias. */
  const aliases = new Map<string, string>();
  let changes = 0;

  /** @param replaces id of the record in whose place it comes; undefined: in nobody's. @throws TakenError, and nothing was changed */
  function put<K extends Kind>(kind: K, record: Kinds[K], replaces: string | undefined): void {
    const table = tables[kind];
    if (record.id !== replaces && table.has(record.id)) throw new TakenError("id", `there is already one with the id ${record.id}`);
    const alias = aliasOf(kind, record);
    const holder = alias === undefined ? undefined : aliases.get(alias);
    if (holder !== undefined && holder !== replaces) throw new TakenError("alias", "another key has this alias already");
    if (replaces !== undefined) remove(kind, replaces);
    table.set(record.id, record);
    if (alias !== undefined) aliases.set(alias, record.id);
    changes++;
  }

  function remove(kind: Kind, id: string): boolean {
    const record = tables[kind].get(id);
    if (record === undefined) return false;
    const alias = aliasOf(kind, record);
    if (alias !== undefined) aliases.delete(alias);
    changes++;
    return tables[kind].delete(id);
  }

  function update<K extends Kind>(kind: K, id: string, change: (record: Kinds[K]) => Kinds[K]): Kinds[K] | undefined {
    const record = tables[kind].get(id);
    if (record === undefined) return undefined;
    const changed = change(record);
    put(kind, changed, id);
    return changed;
  }

  return {
    get: (kind, id) => tables[kind].get(id),
    create(kind, record) {
      put(kind, record, undefined);
    },
    update,
    delete: (kind, ids) => ids.filter((id) => remove(kind, id)),
    rotate: (id, next) => update("key", id, (key) => ({ ...key, ...next })),
    list(kind, { limit, offset }, filter = {}) {
      const found = [...tables[kind].values()].filter((record) => matches(kind, record, filter)).sort(newestFirst);
      return { records: found.slice(offset, offset + limit), total: found.length };
    },
    version: () => String(changes),
    close: async () => undefined,
  };
}

/** Only keys are known by theirs; those of people and teams are for people. */
function aliasOf(kind: Kind, record: Kinds[Kind]): string | undefined {
  return kind === "key" && "alias" in record ? record.alias : undefined;
}

function matches(kind: Kind, record: Kinds[Kind], filter: KeyFilter): boolean {
  if (kind !== "key") return true;
  const key = record as Kinds["key"];
  return (["userId", "teamId", "alias"] as const).every((name) => filter[name] === undefined || filter[name] === key[name]);
}

function newestFirst(a: Kinds[Kind], b: Kinds[Kind]): number {
  return b.createdAt - a.createdAt || (a.id < b.id ? 1 : -1);
}
