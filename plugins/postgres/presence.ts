/** Which processes share the database, by its clock. */

import type { PresenceStore } from "../../sdk/presence.ts";
import type { Database } from "./database.ts";

export const presenceTables = `
create table $schema$.instances (
  id text primary key,
  host text not null,
  pid int not null,
  heard_at timestamptz not null default clock_timestamp()
);
`;

export function createPresenceStore(database: Database): PresenceStore {
  const { schema } = database;
  return {
    async beat({ id, host, pid }) {
      await database.query(
        `insert into ${schema}.instances (id, host, pid) values ($1, $2, $3) on conflict (id) do update set heard_at = clock_timestamp()`,
        [id, host, pid],
      );
    },
    async leave(id) {
      await database.query(`delete from ${schema}.instances where id = $1`, [id]);
    },
    async heardOf(withinMs) {
      await database.query(`delete from ${schema}.instances where heard_at < clock_timestamp() - interval '1 day'`);
      const rows = await database.query(
        `select id, host, pid from ${schema}.instances where heard_at >= clock_timestamp() - $1 * interval '1 millisecond' order by id`,
        [withinMs],
      );
      return rows.map(({ id, host, pid }) => ({ id: String(id), host: String(host), pid: Number(pid) }));
    },
  };
}
