/** Virtual keys and whom they belong to, in PostgreSQL. */

import { type KeyFilter, type KeyStore, type Kind, type Kinds, type VirtualKey, TakenError } from "../../sdk/keys.ts";
import type { Database, Row } from "./database.ts";
import { PostgresError } from "./errors.ts";
import { encodeText } from "./text.ts";

interface Found<K extends Kind> {
  readonly record: Kinds[K];
  readonly revision: number;
}

export function createKeyStore(database: Database): KeyStore {
  const table = `${database.schema}.records`;

  async function find<K extends Kind>(kind: K, id: string): Promise<Found<K> | undefined> {
    const [row] = await database.query(`select body, revision from ${table} where kind = $1 and id = $2`, [kind, encodeText(id)]);
    return row === undefined ? undefined : { record: toRecord(kind, row), revision: Number(row["revision"]) };
  }

  /** @returns undefined when there is none @throws TakenError */
  async function change<K extends Kind>(kind: K, id: string, toNext: (record: Kinds[K]) => Kinds[K]): Promise<Kinds[K] | undefined> {
    // Nothing is locked while nobody knows how long the change takes. Whoever comes too late does it again with what is there by then.
    for (;;) {
      const found = await find(kind, id);
      if (found === undefined) return undefined;
      const next = toNext(found.record);
      const changed = await refusingTaken(
        next,
        database.query(
          `update ${table} set id = $4, alias = $5, user_id = $6, team_id = $7, created_at = $8, body = $9, revision = revision + 1
           where kind = $1 and id = $2 and revision = $3 returning body`,
          [kind, encodeText(id), found.revision, ...toColumns(next)],
        ),
      );
      const [row] = changed;
      if (row !== undefined) return toRecord(kind, row);
    }
  }

  return {
    get: async (kind, id) => (await find(kind, id))?.record,
    async create(kind, record) {
      await refusingTaken(
        record,
        database.query(`insert into ${table} (kind, id, alias, user_id, team_id, created_at, body) values ($1, $2, $3, $4, $5, $6, $7)`, [
          kind,
          ...toColumns(record),
        ]),
      );
    },
    update: change,
    async delete(kind, ids) {
      const rows = await database.query(
        `delete from ${table} where kind = $1 and id in (
           select id from ${table} where kind = $1 and id = any ($2::text[]) order by id for update
         ) returning id`,
        [kind, ids.map(encodeText)],
      );
      return rows.map((row) => String(row["id"]));
    },
    rotate: async (id, next): Promise<VirtualKey | undefined> => change("key", id, (key) => ({ ...key, ...next })),
    async list(kind, page, filter = {}) {
      const { condition, values } = toCondition(kind, filter);
      const [counted, rows] = await Promise.all([
        database.query(`select count(*) as total from ${table} where ${condition}`, values),
        database.query(
          `select body from ${table} where ${condition} order by created_at desc, id desc limit $${values.length + 1} offset $${values.length + 2}`,
          [...values, page.limit, page.offset],
        ),
      ]);
      return { records: rows.map((row) => toRecord(kind, row)), total: Number(counted[0]?.["total"]) };
    },
    async version() {
      const [row] = await database.query(`select changes from ${database.schema}.record_changes`);
      return String(row?.["changes"]);
    },
    close: async () => undefined,
  };
}

/** id, alias, user, team, creation and the whole. */
function toColumns(record: Kinds[Kind]): readonly unknown[] {
  const texts = [
    record.id,
    ...(["alias", "userId", "teamId"] as const).map((name) => (name in record ? (record as VirtualKey)[name] : undefined)),
  ];
  return [...texts.map((text) => (text === undefined ? null : encodeText(text))), record.createdAt, encodeText(JSON.stringify(record))];
}

function toRecord<K extends Kind>(_kind: K, row: Row): Kinds[K] {
  return JSON.parse(String(row["body"])) as Kinds[K];
}

function toCondition(kind: Kind, filter: KeyFilter): { readonly condition: string; readonly values: readonly unknown[] } {
  const values: unknown[] = [kind];
  const conditions = ["kind = $1"];
  // Filters are for keys.
  if (kind === "key")
    for (const [column, wanted] of [
      ["user_id", filter.userId],
      ["team_id", filter.teamId],
      ["alias", filter.alias],
    ] as const) {
      if (wanted === undefined) continue;
      const bound = `$${values.push(encodeText(wanted))}::text`;
      // The indexes are of beginnings: the first half finds, the second half decides.
      if (column !== "alias") conditions.push(`left(${column}, 64) = left(${bound}, 64)`);
      conditions.push(`${column} = ${bound}`);
    }
  return { condition: conditions.join(" and "), values };
}

/** @throws TakenError in place of what the database says */
async function refusingTaken<Result>(record: Kinds[Kind], result: Promise<Result>): Promise<Result> {
  try {
    return await result;
  } catch (error) {
    if (!(error instanceof PostgresError) || error.code !== "23505") throw error;
    if (error.constraint === "records_id") throw new TakenError("id", `there is already one with the id ${record.id}`);
    if (error.constraint === "records_alias") throw new TakenError("alias", `another key has this alias already`);
    throw error;
  }
}
