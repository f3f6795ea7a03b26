/** Reads what a host says became of a batch of stream events. */

import { isRecord } from "./check-manifest.ts";
import { invalid, readMicroseconds, readUnitError, readWrites } from "./check-outcome.ts";
import { InvalidOutcome } from "./check-writes.ts";
import { areTooMuch, maxTexts, tooMuch } from "./event-bounds.ts";
import type { PhaseOutcome, StreamResult } from "./sandbox.ts";

/**
 * @param units those that were asked
 * @param count number of events sent
 * @returns a text when the host itself does not keep to the protocol
 */
export function readStream(value: unknown, stream: string, units: readonly number[], count: number): StreamResult | string {
  if (!isRecord(value) || value["stream"] !== stream) return "it told of another stream than it was asked about";
  const { events, units: outcomes } = value;
  if (!Array.isArray(events) || events.length !== count) return "it did not say of every event what became of it";
  if (!Array.isArray(outcomes) || outcomes.length !== units.length) return "it did not say of every unit what came of it";
  if (!areEvents(events)) return "it gave something for an event that is none";
  if (areTooMuch(events)) {
    const error = invalid(tooMuch);
    return { events: events.map(() => 0), outcomes: units.map((unit) => ({ unit, us: 0, error })) };
  }
  const read: PhaseOutcome[] = [];
  for (const [index, outcome] of outcomes.entries()) {
    const unit = units[index] ?? 0;
    if (!isRecord(outcome) || outcome["unit"] !== unit) return "it told of other units than it was asked about";
    read.push(readUnit(outcome, unit));
  }
  return { events, outcomes: read };
}

function areEvents(events: readonly unknown[]): events is readonly (0 | readonly string[])[] {
  for (const event of events) {
    if (event === 0) continue;
    if (!Array.isArray(event)) return false;
    for (const text of event) if (typeof text !== "string") return false;
  }
  return true;
}

function readUnit(value: { readonly [key: string]: unknown }, unit: number): PhaseOutcome {
  const us = readMicroseconds(value["us"]);
  try {
    const writes = readWrites(value["writes"]);
    const error = readUnitError(value["error"]);
    const changed = readPlaces(value["changed"]);
    return {
      unit,
      us,
      ...(changed.length === 0 ? {} : { changed }),
      ...(error === undefined ? {} : { error }),
      ...(writes === undefined ? {} : { writes }),
    };
  } catch (error) {
    if (error instanceof InvalidOutcome) return { unit, us, error: invalid(error.message) };
    throw error;
  }
}

function readPlaces(value: unknown): readonly number[] {
  return Array.isArray(value) && value.length <= maxTexts ? value.filter((place) => Number.isSafeInteger(place)) : [];
}
