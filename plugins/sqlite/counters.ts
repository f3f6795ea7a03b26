/** Counters, slots and reservations, row by row. All of it is called within a transaction. */

import type { Database } from "./database.ts";
import { optionalNumber, optionalText, parseStored, wholeNumber } from "./values.ts";

export interface Counter {
  readonly number: number;
  readonly used: number;
  /** Undefined: never over. */
  readonly endsAt: number | undefined;
  /** Of a budget. */
  readonly period: string | undefined;
}

/** What a reservation took of a counter; `number` is undefined for a slot. */
export interface Taken {
  readonly number: number | undefined;
  readonly amount: number;
}

/** One that is over is none. */
export function findCounter(database: Database, key: string, now: number): Counter | undefined {
  const row = database.get(
    "SELECT number, used, ends_at, period FROM counter WHERE key = ? AND (ends_at IS NULL OR ends_at > ?)",
    key,
    now,
  );
  if (row === undefined) return undefined;
  return {
    number: Number(row["number"]),
    used: Number(row["used"]),
    endsAt: optionalNumber(row["ends_at"]),
    period: optionalText(row["period"]),
  };
}

/** In place of the one that there was. @returns its number */
export function makeCounter(database: Database, key: string, { used, endsAt, period }: Omit<Counter, "number">): number {
  database.run("DELETE FROM counter WHERE key = ?", key);
  const sql = "INSERT INTO counter (key, used, ends_at, period) VALUES (?, ?, ?, ?) RETURNING number";
  return Number(database.get(sql, key, wholeNumber(used), endsAt ?? null, period ?? null)?.["number"]);
}

/** Nothing, where the counter is gone or over. */
export function addTo(database: Database, number: number, amount: number, now: number): void {
  const row = database.get("SELECT used FROM counter WHERE number = ? AND (ends_at IS NULL OR ends_at > ?)", number, now);
  if (row !== undefined) database.run("UPDATE counter SET used = ? WHERE number = ?", wholeNumber(Number(row["used"]) + amount), number);
}

/** Those whose lease is over count no more. */
export function countSlots(database: Database, key: string, now: number): number {
  return Number(database.get("SELECT count(*) AS count FROM slot WHERE key = ? AND lease_ends_at > ?", key, now)?.["count"]);
}

export function takeSlot(database: Database, key: string, id: string, leaseEndsAt: number): void {
  database.run("INSERT INTO slot (key, reservation, lease_ends_at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING", key, id, leaseEndsAt);
}

export function isHeld(database: Database, id: string): boolean {
  return database.get("SELECT 1 FROM reservation WHERE id = ?", id) !== undefined;
}

export function hold(database: Database, id: string, taken: readonly Taken[], leaseEndsAt: number): void {
  const rows = JSON.stringify(taken.map(({ number, amount }) => [number ?? null, amount]));
  database.run("INSERT INTO reservation (id, lease_ends_at, taken) VALUES (?, ?, ?)", id, leaseEndsAt, rows);
}

/** Slots that are back already are taken again: who renews is there still. */
export function prolong(database: Database, id: string, leaseEndsAt: number): void {
  if (database.run("UPDATE reservation SET lease_ends_at = ? WHERE id = ?", leaseEndsAt, id) === 0) return;
  database.run("UPDATE slot SET lease_ends_at = ? WHERE reservation = ?", leaseEndsAt, id);
}

/** Its slots are free. @returns what it had taken, in the order of the demands; nothing where it is not held */
export function letGo(database: Database, id: string): readonly Taken[] {
  const row = database.get("SELECT taken FROM reservation WHERE id = ?", id);
  if (row === undefined) return [];
  database.run("DELETE FROM reservation WHERE id = ?", id);
  database.run("DELETE FROM slot WHERE reservation = ?", id);
  const taken = parseStored(row["taken"]) as readonly (readonly [number | null, number])[];
  return taken.map(([number, amount]) => ({ number: number ?? undefined, amount }));
}
