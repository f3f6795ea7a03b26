/** The events of streams: each unit sees what the one before it let through, of all streams of a message at once. */

import type { EventsMessage, StreamBatch, StreamOutcome, UnitStores, Writes } from "../protocol.ts";
import { areTooMuch, tooMuch } from "../event-bounds.ts";
import type { CagedFile, CallFailure } from "./cage.ts";
import { secondChanceMs, upkeepSliceMs } from "./limits.ts";
import type { Program } from "./program.ts";

export interface Streams {
  push(message: EventsMessage & { readonly id: number }): void;
  end(stream: string): void;
  /** Drops the streams of a version. */
  forget(version: number): void;
}

/** What is kept of a stream, so that an isolate made anew can be told. */
interface Stream {
  readonly version: number;
  /** JSON. */
  readonly facts: string;
  /** JSON of the rest of the context. */
  readonly rest: string;
  /** The latest, by unit. */
  readonly stores: Map<number, UnitStores>;
  /** Generation of the isolate that knows the stream, by unit. */
  readonly opened: Map<number, number>;
}

type UnitOfStream = StreamOutcome["units"][number];

/** One stream of a message on its way through the units. */
interface Passage {
  readonly batch: StreamBatch;
  readonly stream: Stream;
  /** What has become of each event so far. */
  events: readonly (0 | readonly string[])[];
  readonly units: UnitOfStream[];
  /** Units that have not seen it yet. */
  rest: readonly number[];
}

export function createStreams(programs: ReadonlyMap<number, Program>, write: (json: string) => void): Streams {
  const streams = new Map<string, Stream>();

  const open = (batch: StreamBatch, version: number): Stream => {
    const known = streams.get(batch.stream);
    if (known !== undefined && batch.open === undefined) return known;
    const stores = new Map(Object.entries(batch.open?.stores ?? {}).map(([unit, content]) => [Number(unit), content]));
    const { facts = {}, ...rest } = batch.open?.context ?? {};
    const stream: Stream = { version, facts: JSON.stringify(facts), rest: JSON.stringify(rest), stores, opened: new Map() };
    streams.set(batch.stream, stream);
    return stream;
  };

  return {
    push({ id, version, sliceMs, streams: batches }) {
      const passages = batches.map((batch): Passage => ({
        batch,
        stream: open(batch, version),
        events: batch.events.map(() => 0),
        units: [],
        rest: batch.units,
      }));
      let hasBegun = false;
      for (let unit = nextUnit(passages); unit !== undefined; unit = nextUnit(passages)) {
        const file = programs.get(version)?.file(unit);
        const concerned = passages.filter(({ rest }) => rest[0] === unit);
        for (const passage of concerned) passage.rest = passage.rest.slice(1);
        const begin = (): void => {
          if (hasBegun) write(`{"type":"progress","id":${id},"unit":${unit}}`);
          hasBegun = true;
        };
        if (file === undefined)
          for (const passage of concerned)
            passage.units.push(failedUnit(unit, 0, { type: "failed", kind: "threw", message: "the file is not loaded", stack: "" }));
        else runUnit({ unit, file, sliceMs, begin }, concerned);
      }
      const outcomes = passages.map(({ batch, events, units }): StreamOutcome => ({ stream: batch.stream, events, units }));
      write(`{"type":"events-done","id":${id},"streams":${JSON.stringify(outcomes)}}`);
    },
    end(name) {
      const stream = streams.get(name);
      if (stream === undefined) return;
      streams.delete(name);
      for (const [unit, generation] of stream.opened) {
        const file = programs.get(stream.version)?.file(unit);
        if (file !== undefined && file.cage.generation() === generation) file.cage.ask(file, ["end", name], upkeepSliceMs);
      }
    },
    forget(version) {
      for (const [name, stream] of streams) if (stream.version === version) streams.delete(name);
    },
  };
}

interface UnitRun {
  readonly unit: number;
  readonly file: CagedFile;
  readonly sliceMs: number;
  /** To be called before user code runs. */
  begin(): void;
}

/** A unit that is next for some streams, if possible for all that it is still to see. */
function nextUnit(passages: readonly Passage[]): number | undefined {
  const heads = passages.flatMap(({ rest }) => rest.slice(0, 1));
  if (passages.length === 1) return heads[0];
  const isFirst = (unit: number): boolean => passages.every(({ rest }) => rest.indexOf(unit) <= 0);
  return heads.find(isFirst) ?? heads[0];
}

/** All streams in one call; when that fails, each by itself, so that the one at fault is found and the others go on. */
function runUnit(run: UnitRun, passages: readonly Passage[], isSecondChance = false): void {
  run.begin();
  const failure = callUnit(run, passages);
  if (failure === undefined) return;
  if (failure.failure.isStarved === true && !isSecondChance)
    return runUnit({ ...run, sliceMs: run.sliceMs + secondChanceMs }, passages, true);
  if (passages.length === 1) {
    for (const { units } of passages) units.push(failedUnit(run.unit, failure.us, failure.failure));
    return;
  }
  for (const passage of passages) runUnit(run, [passage]);
}

function callUnit(
  { unit, file, sliceMs }: UnitRun,
  passages: readonly Passage[],
): { readonly us: number; readonly failure: CallFailure } | undefined {
  const heads: unknown[] = [];
  const events: string[] = [];
  for (const { batch, stream, events: outputs } of passages) {
    const current = passed(batch, outputs);
    const isKnown = stream.opened.get(unit) === file.cage.generation();
    const stores = stream.stores.get(unit);
    heads.push([
      batch.stream,
      current.length,
      isKnown ? "" : stream.facts,
      isKnown ? "" : stream.rest,
      isKnown || stores === undefined ? "" : JSON.stringify(stores),
    ]);
    events.push(...current);
  }
  const begun = performance.now();
  const elapsed = (): number => Math.round(((performance.now() - begun) * 1000) / passages.length);
  const result = file.cage.ask(file, ["events", String(unit), JSON.stringify(heads), ...events], sliceMs);
  if (result.type === "failed") return { us: elapsed(), failure: result };
  const answers = result.text.split("\n");
  const settled: string[] = [];
  for (const [index, { batch }] of passages.entries()) {
    const answer = answers[index] ?? "-";
    if (answer !== "?") {
      settled.push(answer);
      continue;
    }
    const polled = file.cage.ask(file, ["poll-events", String(unit), batch.stream], sliceMs);
    if (polled.type === "failed") return { us: elapsed(), failure: polled };
    settled.push(polled.text);
  }
  const us = elapsed();
  for (const [index, passage] of passages.entries()) {
    passage.stream.opened.set(unit, file.cage.generation());
    takeAnswer(unit, us, passage, settled[index] ?? "-");
  }
  return undefined;
}

/** The events as they are at this point of the chain. */
function passed(batch: StreamBatch, outputs: Passage["events"]): readonly string[] {
  return batch.events.flatMap((text, index) => {
    const output = outputs[index] ?? 0;
    return output === 0 ? text : output;
  });
}

interface EventAnswer {
  readonly events?: readonly (0 | readonly string[])[];
  readonly error?: NonNullable<UnitOfStream["error"]>;
  readonly writes?: Writes;
}

function takeAnswer(unit: number, us: number, passage: Passage, answer: string): void {
  const { stream, units } = passage;
  if (answer === "-") {
    units.push({ unit, us });
    return;
  }
  const { events: outputs, error, writes } = JSON.parse(answer.slice(1)) as EventAnswer;
  const { events, changed } = outputs === undefined ? { events: passage.events, changed: [] } : merge(passage.events, outputs);
  if (areTooMuch(events)) {
    const failed = failedUnit(unit, us, { type: "failed", kind: "invalid", message: tooMuch, stack: "" });
    units.push(writes?.logs === undefined ? failed : { ...failed, writes: { logs: writes.logs } });
    return;
  }
  passage.events = events;
  units.push({
    unit,
    us,
    ...(changed.length === 0 ? {} : { changed }),
    ...(error === undefined ? {} : { error }),
    ...(writes === undefined ? {} : { writes }),
  });
  if (writes?.state !== undefined || writes?.locals !== undefined) stream.stores.set(unit, applyWrites(stream.stores.get(unit), writes));
}

/** What the unit made of the events that reached it, in the place of those that came, and which of these it changed. */
function merge(
  before: Passage["events"],
  outputs: Passage["events"],
): { readonly events: Passage["events"]; readonly changed: readonly number[] } {
  let at = 0;
  const changed: number[] = [];
  const events = before.map((reaching, index) => {
    const reached = reaching === 0 ? 1 : reaching.length;
    const made = outputs.slice(at, at + reached);
    at += reached;
    if (made.every((output) => output === 0)) return reaching;
    changed.push(index);
    return made.flatMap((output, position) => (output === 0 ? [reaching === 0 ? "" : (reaching[position] ?? "")] : output));
  });
  return { events, changed };
}

function applyWrites(stores: UnitStores | undefined, writes: Writes): UnitStores {
  return { state: applyStore(stores?.state ?? {}, writes.state ?? {}), locals: applyStore(stores?.locals ?? {}, writes.locals ?? {}) };
}

function applyStore(content: UnitStores["state"], written: NonNullable<Writes["state"]>): UnitStores["state"] {
  const entries = new Map(Object.entries(content));
  for (const [key, value] of Object.entries(written)) {
    if (value === null) entries.delete(key);
    else entries.set(key, value);
  }
  return Object.fromEntries(entries);
}

function failedUnit(unit: number, us: number, { kind, message, stack }: CallFailure): UnitOfStream {
  return { unit, us, error: { name: "Error", message, stack, kind } };
}
