/** Limits that many processes share, counted by a PostgreSQL server, with its clock. */

import { createHash } from "node:crypto";

import type { CounterState, Demand, LimitStore, Reservation } from "../../sdk/limits.ts";
import type { Database, Row } from "./database.ts";
import { encodeText } from "./text.ts";

/** What PostgreSQL takes into an index is shorter than some names that clients make up. */
const longestKey = 500;

/** @param clock ms since 1970 in place of the server's clock, for tests */
export function createLimitStore(database: Database, clock: (() => number) | undefined): LimitStore {
  const { schema } = database;
  const now = (): number | null => clock?.() ?? null;

  return {
    async reserve(id, demands, leaseMs): Promise<Reservation> {
      const [row] = await database.query(
        `select * from ${schema}.reserve($1, $2::text[], $3::text[], $4::float8[], $5::float8[], $6::float8[], $7::text[], $8::float8[], $9, $10)`,
        [encodeText(id), ...toLists(demands), leaseMs, now()],
      );
      return toReservation(row ?? {}, demands);
    },
    async renew(ids, leaseMs) {
      await database.query(`select ${schema}.renew($1::text[], $2, $3)`, [ids.map(encodeText), leaseMs, now()]);
    },
    async settle(id, actual) {
      await database.query(`select ${schema}.end_reservation($1, $2::float8[])`, [encodeText(id), actual.map((amount) => amount ?? null)]);
    },
    async release(id) {
      await database.query(`select ${schema}.end_reservation($1, null)`, [encodeText(id)]);
    },
    async add(key, period, amount) {
      await database.query(`select ${schema}.add_spent($1, $2, $3, $4)`, [toKey(key), encodeText(period), amount, now()]);
    },
    async read(keys) {
      const rows = await database.query(
        `select coalesce(c.used, (select count(*) from ${schema}.slots s where s.key = k.key and s.lease_ends_at > n.now)) as used,
           c.ends_at - n.now as resets
         from (select ${schema}.clock_ms($2) as now) n
         cross join unnest($1::text[]) with ordinality k (key, place)
         left join ${schema}.counters c on c.key = k.key and (c.ends_at is null or c.ends_at > n.now)
         order by k.place`,
        [keys.map(toKey), now()],
      );
      return keys.map((key, index) => toState(key, rows[index]?.["used"], rows[index]?.["resets"]));
    },
    async reset(keys) {
      await database.query(`select ${schema}.reset_counters($1::text[])`, [keys.map(toKey)]);
    },
    close: async () => undefined,
  };
}

/** Kinds, keys, amounts, limits, how long they last, periods, and what was spent. */
function toLists(demands: readonly Demand[]): readonly (readonly unknown[])[] {
  return [
    demands.map(({ kind }) => kind),
    demands.map(({ key }) => toKey(key)),
    demands.map((demand) => (demand.kind === "slot" ? 1 : demand.amount)),
    demands.map(({ limit }) => limit),
    demands.map(lastsMs),
    demands.map((demand) => (demand.kind === "budget" ? encodeText(demand.period) : null)),
    demands.map((demand) => (demand.kind === "budget" ? demand.spent : null)),
  ];
}

/** Null: for ever, or as long as somebody has it. */
function lastsMs(demand: Demand): number | null {
  if (demand.kind === "window") return demand.windowMs;
  return demand.kind === "budget" ? (demand.endsInMs ?? null) : null;
}

function toReservation(row: Row, demands: readonly Demand[]): Reservation {
  const used = row["o_used"] as readonly number[];
  const resets = row["o_resets"] as readonly (number | null)[];
  const index = row["o_refused"];
  if (typeof index === "number") return { isGranted: false, index, state: toState(demands[index]?.key ?? "", used[0], resets[0]) };
  return { isGranted: true, states: demands.map(({ key }, place) => toState(key, used[place], resets[place])) };
}

function toState(key: string, used: unknown, resets: unknown): CounterState {
  return { key, used: Number(used), resetsInMs: resets === null || resets === undefined ? undefined : Number(resets) };
}

/** As it is kept: no two keys become the same one. */
function toKey(key: string): string {
  return encodeText(
    key.length <= longestKey ? key : `${key.slice(0, longestKey)}#${createHash("sha256").update(key, "utf16le").digest("hex")}`,
  );
}
