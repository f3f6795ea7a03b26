/** Virtual keys and whom they belong to, in a file. */

import { type Kind, type Kinds, type KeyFilter, type KeyStore, type VirtualKey, TakenError } from "../../sdk/keys.ts";
import type { Database, Row, Value } from "./database.ts";
import { parseStored } from "./values.ts";

const readOne = "SELECT value FROM record WHERE kind = ? AND id = ?";
const insert = "INSERT INTO record (kind, id, alias, user_id, team_id, created_at, value) VALUES (?, ?, ?, ?, ?, ?, ?)";
const replace = "UPDATE record SET id = ?, alias = ?, user_id = ?, team_id = ?, created_at = ?, value = ? WHERE kind = ? AND id = ?";
const remove = "DELETE FROM record WHERE kind = ? AND id = ?";

/** @param database durable, power cuts included */
export function createSqliteKeys(database: Database, close: () => Promise<void>): KeyStore {
  function find<K extends Kind>(kind: K, id: string): Kinds[K] | undefined {
    const row = database.get(readOne, kind, id);
    return row === undefined ? undefined : (parse(row) as Kinds[K]);
  }

  /** @param id of the one that is there already; undefined: none is */
  function refuseTaken(kind: Kind, record: Kinds[Kind], id: string | undefined): void {
    if (record.id !== id && database.get(readOne, kind, record.id) !== undefined)
      throw new TakenError("id", `there is such a ${kind} already`);
    const { alias } = columnsOf(kind, record);
    const owner = alias === null ? undefined : database.get("SELECT id FROM record WHERE alias = ?", alias)?.["id"];
    if (owner !== undefined && owner !== id) throw new TakenError("alias", "another key has this alias");
  }

  function put<K extends Kind>(kind: K, id: string, record: Kinds[K]): void {
    refuseTaken(kind, record, id);
    const { alias, userId, teamId } = columnsOf(kind, record);
    database.run(replace, record.id, alias, userId, teamId, record.createdAt, JSON.stringify(record), kind, id);
  }

  function update<K extends Kind>(kind: K, id: string, change: (record: Kinds[K]) => Kinds[K]): Kinds[K] | undefined {
    return database.transaction(() => {
      const found = find(kind, id);
      if (found === undefined) return undefined;
      const changed = change(found);
      put(kind, id, changed);
      return changed;
    });
  }

  return {
    get: (kind, id) => database.read(() => find(kind, id)),

    create: (kind, record) =>
      database.transaction(() => {
        refuseTaken(kind, record, undefined);
        const { alias, userId, teamId } = columnsOf(kind, record);
        database.run(insert, kind, record.id, alias, userId, teamId, record.createdAt, JSON.stringify(record));
      }),

    update,

    delete: (kind, ids) => database.transaction(() => ids.filter((id) => database.run(remove, kind, id) > 0)),

    rotate: (id, next) => update("key", id, (key): VirtualKey => ({ ...key, ...next })),

    list: <K extends Kind>(kind: K, page: { readonly limit: number; readonly offset: number }, filter: KeyFilter = {}) =>
      database.snapshot(() => {
        const { conditions, values } = conditionsOf(kind, filter);
        const [count] = database.allOnce(`SELECT count(*) AS total FROM record WHERE ${conditions}`, ...values);
        const sql = `SELECT value FROM record WHERE ${conditions} ORDER BY created_at DESC, id DESC LIMIT ? OFFSET ?`;
        const rows = database.allOnce(sql, ...values, page.limit, page.offset);
        return { records: rows.map((row) => parse(row) as Kinds[K]), total: Number(count?.["total"]) };
      }),

    version: () =>
      database.read(() => {
        const row = database.get("SELECT epoch, number FROM record_version");
        return `${String(row?.["epoch"])}:${String(row?.["number"])}`;
      }),

    close,
  };
}

/** Keys only are found by what they have. */
function columnsOf(kind: Kind, record: Kinds[Kind]): { alias: string | null; userId: string | null; teamId: string | null } {
  if (kind !== "key") return { alias: null, userId: null, teamId: null };
  const { alias, userId, teamId } = record as VirtualKey;
  return { alias: alias ?? null, userId: userId ?? null, teamId: teamId ?? null };
}

function conditionsOf(
  kind: Kind,
  { userId, teamId, alias }: KeyFilter,
): { readonly conditions: string; readonly values: readonly Value[] } {
  const conditions = ["kind = ?"];
  const values: Value[] = [kind];
  for (const [column, value] of [
    ["user_id", userId],
    ["team_id", teamId],
    ["alias", alias],
  ] as const) {
    if (value === undefined || kind !== "key") continue;
    conditions.push(`${column} = ?`);
    values.push(value);
  }
  return { conditions: conditions.join(" AND "), values };
}

function parse(row: Row): Kinds[Kind] {
  return parseStored(row["value"]) as unknown as Kinds[Kind];
}
