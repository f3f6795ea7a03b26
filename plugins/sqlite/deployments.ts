/** Numbers of deployments, row by row. What changes something is called within a transaction. */

import { type AttemptEnd, type DeploymentState, type Sample, maxSamples, unusedState } from "../../sdk/routing-store.ts";
import type { Database, Row } from "./database.ts";
import { parseStored } from "./values.ts";

const minuteMs = 60_000;
/** Of a process that was killed, attempts are under way for so long at most, counted from the last thing it said of the deployment. */
export const inFlightMs: number = 60 * minuteMs;

/** Seconds, and when that was. */
type Measured = readonly [seconds: number, at: number];

interface Numbers {
  readonly requests: number;
  readonly tokens: number;
  readonly successes: number;
  readonly failures: number;
  readonly latencies: readonly Measured[];
  readonly firstContents: readonly Measured[];
}

const none: Numbers = { requests: 0, tokens: 0, successes: 0, failures: 0, latencies: [], firstContents: [] };

export function readState(database: Database, id: string, now: number): DeploymentState {
  const row = database.get("SELECT sum(attempts) AS attempts FROM in_flight WHERE deployment = ? AND touched_at > ?", id, now - inFlightMs);
  const inFlight = Number(row?.["attempts"] ?? 0);
  const { latencies, firstContents, ...counts } = numbersOf(database, id, now);
  return { inFlight, ...counts, latencies: samplesOf(latencies, now), firstContents: samplesOf(firstContents, now) };
}

export function beginAttempt(database: Database, id: string, owner: string, now: number): void {
  database.run(
    "INSERT INTO in_flight (deployment, owner, attempts, touched_at) VALUES (?, ?, 1, ?) " +
      "ON CONFLICT DO UPDATE SET attempts = attempts + 1, touched_at = excluded.touched_at",
    id,
    owner,
    now,
  );
  const numbers = numbersOf(database, id, now);
  write(database, id, { ...numbers, requests: numbers.requests + 1 }, now);
}

/** Nothing, where this owner has begun none. */
export function endAttempt(database: Database, id: string, owner: string, end: AttemptEnd, now: number): void {
  const sql = "UPDATE in_flight SET attempts = attempts - 1, touched_at = ? WHERE deployment = ? AND owner = ? AND attempts > 0";
  if (database.run(sql, now, id, owner) === 0) return;
  const { requests, tokens, successes, failures, latencies, firstContents } = numbersOf(database, id, now);
  const ended: Numbers = {
    requests,
    tokens: tokens + end.tokens,
    successes: successes + (end.outcome === "success" ? 1 : 0),
    failures: failures + (end.outcome === "failure" ? 1 : 0),
    latencies: withSample(latencies, end.latency, now),
    firstContents: withSample(firstContents, end.firstContent, now),
  };
  write(database, id, ended, now);
}

function numbersOf(database: Database, id: string, now: number): Numbers {
  const row = database.get("SELECT * FROM deployment WHERE id = ?", id);
  if (row === undefined) return none;
  const samples = { latencies: measuredOf(row, "latencies"), firstContents: measuredOf(row, "first_contents") };
  if (row["minute"] !== minuteOf(now)) return { ...none, ...samples };
  const [requests, tokens, successes, failures] = ["requests", "tokens", "successes", "failures"].map((name) => Number(row[name]));
  return { requests: requests ?? 0, tokens: tokens ?? 0, successes: successes ?? 0, failures: failures ?? 0, ...samples };
}

function write(database: Database, id: string, numbers: Numbers, now: number): void {
  const { requests, tokens, successes, failures } = numbers;
  const samples = [JSON.stringify(numbers.latencies), JSON.stringify(numbers.firstContents)];
  database.run(
    "INSERT OR REPLACE INTO deployment (id, minute, requests, tokens, successes, failures, latencies, first_contents, touched_at) " +
      "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
    id,
    minuteOf(now),
    requests,
    tokens,
    successes,
    failures,
    ...samples,
    now,
  );
}

function minuteOf(now: number): number {
  return Math.floor(now / minuteMs);
}

function measuredOf(row: Row, column: string): readonly Measured[] {
  return parseStored(row[column]) as readonly Measured[];
}

function samplesOf(measured: readonly Measured[], now: number): readonly Sample[] {
  // A clock that was put back makes nothing younger than now.
  return measured.length === 0 ? unusedState.latencies : measured.map(([seconds, at]) => ({ seconds, ageMs: Math.max(now - at, 0) }));
}

function withSample(measured: readonly Measured[], seconds: number | undefined, at: number): readonly Measured[] {
  return seconds === undefined ? measured : [...measured, [seconds, at] as const].slice(-maxSamples);
}
