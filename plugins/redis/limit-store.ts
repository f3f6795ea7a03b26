/** Limits that many processes share, counted by a Redis server, with its clock. Each method is one command, and so one moment. */

import type { CounterState, Demand, LimitStore, Reservation } from "../../sdk/limits.ts";
import { type WallClock, clockArgument, durationText, wholeText } from "./clock.ts";
import type { Connection } from "./connection.ts";
import type { Names } from "./names.ts";
import { addToCounter, readCounters } from "./scripts/counter-access.ts";
import { endReservation } from "./scripts/end-reservation.ts";
import { renew } from "./scripts/renew.ts";
import { reserve } from "./scripts/reserve.ts";

export function createLimitStore(connection: Connection, names: Names, wallClock: WallClock): LimitStore {
  const clock = (): string => clockArgument(wallClock);
  const heldKey = (id: string): string => names.of("held", id);
  const demandKey = ({ kind, key }: Demand): string => names.of(kind === "slot" ? "slots" : "counter", key);

  return {
    async reserve(id, demands, leaseMs): Promise<Reservation> {
      const keys = [heldKey(id), ...demands.map(demandKey)];
      const answer = await connection.run(reserve, keys, [clock(), id, durationText(leaseMs), ...demands.flatMap(toArguments)]);
      return toReservation(answer as readonly (string | number)[], demands);
    },
    async renew(ids, leaseMs) {
      if (ids.length > 0) await connection.run(renew, ids.map(heldKey), [clock(), durationText(leaseMs), ...ids]);
    },
    async settle(id, actual) {
      const amounts = actual.map((amount) => (amount === undefined ? "" : wholeText(amount)));
      await connection.run(endReservation, [heldKey(id)], [clock(), id, "settle", ...amounts]);
    },
    async release(id) {
      await connection.run(endReservation, [heldKey(id)], [clock(), id, "release"]);
    },
    async add(key, period, amount) {
      await connection.run(addToCounter, [names.of("counter", key)], [clock(), period, wholeText(amount)]);
    },
    async read(keys) {
      const answer = await connection.run(
        readCounters,
        keys.flatMap((key) => [names.of("counter", key), names.of("slots", key)]),
        [clock()],
      );
      return keys.map((key, index) => toState(key, answer as readonly (string | number)[], index * 2));
    },
    async reset(keys) {
      if (keys.length > 0) await connection.command(async (redis) => redis.del(keys.map((key) => names.of("counter", key))));
    },
    close: async () => undefined,
  };
}

/** Kind, amount, limit, how long its counter lasts, period, and what that begins with. */
function toArguments(demand: Demand): readonly string[] {
  const limit = String(demand.limit);
  if (demand.kind === "slot") return [demand.kind, "1", limit, "", "", "0"];
  if (demand.kind === "window") return [demand.kind, wholeText(demand.amount), limit, durationText(demand.windowMs), "", "0"];
  const { kind, amount, endsInMs, period, spent } = demand;
  return [kind, wholeText(amount), limit, endsInMs === undefined ? "" : durationText(endsInMs), period, wholeText(spent)];
}

function toReservation(answer: readonly (string | number)[], demands: readonly Demand[]): Reservation {
  if (answer[0] === 1) return { isGranted: true, states: demands.map(({ key }, index) => toState(key, answer, 1 + index * 2)) };
  const index = Number(answer[1]);
  return { isGranted: false, index, state: toState(demands[index]?.key ?? "", answer, 2) };
}

/** @param at of `used`, which `left` follows */
function toState(key: string, answer: readonly (string | number)[], at: number): CounterState {
  const left = answer[at + 1];
  return { key, used: Number(answer[at]), resetsInMs: left === "" || left === undefined ? undefined : Number(left) };
}
