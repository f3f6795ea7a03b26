/** A ledger in PostgreSQL. */

import type { Grouping, LedgerFilter, LedgerStore, LedgerTotal, LedgerWrite } from "../../sdk/ledger.ts";
import { type Connection, type Database, type Row, longMs } from "./database.ts";
import { createGroupCommit } from "./group-commit.ts";
import { type LedgerBatch, toBatches } from "./ledger-batches.ts";
import { Values, groupings, toCondition } from "./ledger-filter.ts";
import { fromAttemptRow, fromExchangeRow, fromTokenColumns } from "./ledger-rows.ts";
import { encodeText } from "./text.ts";

/** So that whoever writes never waits long for what is forgotten. */
const prunedAtOnce = 5000;

export function createLedgerStore(database: Database): LedgerStore {
  const { schema } = database;

  async function writeBatch(connection: Connection, { exchanges, attempts, settlements, ends }: LedgerBatch): Promise<void> {
    const lists = [exchanges, attempts, settlements, ends].map((rows) => JSON.stringify(rows));
    await connection.query(`select ${schema}.write_ledger($1, $2, $3, $4)`, lists);
  }

  const group = createGroupCommit<LedgerWrite>(async (writes) => {
    const [first, ...rest] = toBatches(writes);
    if (first === undefined) return;
    // One statement is a transaction of its own, in one round trip.
    if (rest.length === 0) return writeBatch(database, first);
    await database.transaction(async (connection) => {
      for (const batch of [first, ...rest]) await writeBatch(connection, batch);
    });
  });

  return {
    write: async (writes) => group.add(writes),
    async recover(alive, now) {
      const rows = await database.query(
        `select * from ${schema}.recover_ledger($1::text[], $2::float8) order by started_at, exchange_id, number`,
        [alive.map(encodeText), now],
        longMs,
      );
      return rows.map(fromAttemptRow);
    },
    async exchanges(filter, limit, before) {
      const values = new Values();
      let condition = toCondition(filter, values);
      if (before !== undefined)
        condition += ` and (e.started_at, e.id) < (select b.started_at, b.id from ${schema}.exchanges b where b.id = ${values.bind(before)})`;
      const sql = `select e.* from ${schema}.exchanges e where ${condition} order by e.started_at desc, e.id desc limit ${values.bind(limit)}`;
      return (await database.query(sql, values.list)).map(fromExchangeRow);
    },
    async attempts(exchangeId) {
      const sql = `select * from ${schema}.attempts where exchange_id = $1 order by number`;
      return (await database.query(sql, [encodeText(exchangeId)])).map(fromAttemptRow);
    },
    async totals(by, filter) {
      const values = new Values();
      const sql = totalsSql(schema, by, filter, values);
      return (await database.query(sql, values.list, longMs)).map((row) => toTotal(row, by));
    },
    async prune(before) {
      let all = 0;
      let count = prunedAtOnce;
      while (count === prunedAtOnce) {
        count = await pruneSome(database, before);
        all += count;
      }
      return all;
    },
    close: async () => group.drain(),
  };
}

async function pruneSome(database: Database, before: number): Promise<number> {
  const [row] = await database.query(
    `with old as (
       delete from ${database.schema}.exchanges where id in (
         select id from ${database.schema}.exchanges where started_at < $1 order by started_at, id limit ${prunedAtOnce} for update skip locked
       ) returning id
     ), of_old as (
       delete from ${database.schema}.attempts where exchange_id in (select id from old)
     )
     select count(*) as count from old`,
    [before],
    longMs,
  );
  return Number(row?.["count"]);
}

function totalsSql(schema: string, by: readonly Grouping[], filter: LedgerFilter, values: Values): string {
  const names = by.map((_, index) => `by_${index}`);
  const columns = by.map((grouping, index) => `coalesce(${groupings[grouping]}, '') collate "C" as by_${index}`);
  const tags = by.includes("tag") ? "left join lateral (select distinct unnest(e.tags) as tag) t on true" : "";
  const tokens = ["input", "output", "cache_read", "cache_write_5m", "cache_write_1h", "reasoning", "server_tools"];
  return `select ${[
    ...columns,
    "count(*) as requests",
    "count(*) filter (where e.status between 1 and 399) as successes",
    "count(*) filter (where e.is_cache_hit) as cache_hits",
    "count(*) filter (where e.cost is null) as unknown_costs",
    "coalesce(sum(e.cost), 0)::bigint as cost",
    "coalesce(sum(e.cost_as_asked - e.cost), 0)::bigint as saved",
    ...tokens.map((column) => `coalesce(sum(e.${column}), 0)::bigint as ${column}`),
  ].join(", ")}
  from ${schema}.exchanges e ${tags}
  where e.ended_at is not null and ${toCondition(filter, values)}
  group by ${names.length === 0 ? "()" : names.join(", ")} having count(*) > 0
  order by ${["cost desc", ...names].join(", ")}`;
}

function toTotal(row: Row, by: readonly Grouping[]): LedgerTotal {
  return {
    by: by.map((_, index) => String(row[`by_${index}`])),
    requests: Number(row["requests"]),
    successes: Number(row["successes"]),
    cacheHits: Number(row["cache_hits"]),
    unknownCosts: Number(row["unknown_costs"]),
    cost: Number(row["cost"]),
    saved: Number(row["saved"]),
    tokens: fromTokenColumns(row),
  };
}
