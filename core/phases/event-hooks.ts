/** Shows the events of one reply to the hooks that want them, and takes what they make of them, as far as it may be taken. */

import type { BlockNumbering, EventCodec, JsonObject, ToolGuard } from "../../sdk/events.ts";
import { events as hubEvents } from "../../sdk/hub/events.ts";
import { hideCredentials } from "../credentials/hide.ts";
import type { Exchange } from "../exchange.ts";
import type { EventStream, PhaseOutcome } from "../sandbox/sandbox.ts";
import { AbortGate } from "../stream/abort-gate.ts";
import { type EventItem, madeEvent } from "../stream/event-source.ts";
import { createCallContext } from "./call-context.ts";
import { EventTally } from "./event-tally.ts";
import type { PhaseServices } from "./phase-services.ts";
import { hasToolGrant } from "./reply-grants.ts";
import { commitWrites, takeFailure } from "./run-phase.ts";
import { type LoadedUnit, type UserProgram, unitName } from "./user-program.ts";

/** Neighbours in the list that may touch tool calls, or may not: only their joint work is seen. */
interface Segment {
  readonly units: readonly LoadedUnit[];
  readonly byIndex: ReadonlyMap<number, LoadedUnit>;
  /** Undefined: every type. */
  readonly wanted: ReadonlySet<string> | undefined;
  readonly guard: ToolGuard | undefined;
  readonly stream: EventStream;
}

export class EventHooks {
  readonly #exchange: Exchange;
  readonly #services: PhaseServices;
  readonly #codec: EventCodec;
  readonly #segments: readonly Segment[];
  readonly #numbering: BlockNumbering;
  readonly #gate: AbortGate;
  readonly #tally = new EventTally();
  #isChanged = false;
  #isClosed = false;

  /** @param hooks not empty */
  constructor(exchange: Exchange, services: PhaseServices, program: UserProgram, hooks: readonly LoadedUnit[]) {
    this.#exchange = exchange;
    this.#services = services;
    this.#codec = hubEvents;
    this.#numbering = this.#codec.number();
    this.#gate = new AbortGate(exchange.signal);
    const context = createCallContext(exchange, {
      target: exchange.target,
      headers: exchange.headers.endToEnd,
      now: services.wallClock(),
      fetchesFacts: false,
    });
    this.#segments = segmentsOf(hooks).map((units, place): Segment => {
      const byIndex = new Map(units.map((unit) => [unit.index, unit]));
      const stream = program.program.openStream({
        stream: place === 0 ? exchange.id : `${exchange.id}.${place}`,
        units: units.map(({ index }) => index),
        context,
        stores(index) {
          const unit = byIndex.get(index);
          return unit === undefined ? undefined : services.capabilities.stores(exchange, unit);
        },
      });
      const guard = units.every(hasToolGrant) ? undefined : this.#codec.guardTools();
      return { units, byIndex, wanted: wantedBy(units), guard, stream };
    });
  }

  /** Whether anything that went through has become something else. */
  get isChanged(): boolean {
    return this.#isChanged;
  }

  /**
   * One call at a time, in the order of the reply.
   * @throws HookRefusal when a hook failed whose failure denies the request
   * @throws the reason of the exchange's signal once it is aborted
   */
  async run(batch: readonly EventItem[]): Promise<readonly EventItem[]> {
    let items = batch;
    for (const segment of this.#segments) items = await this.#runSegment(segment, items);
    return items.flatMap((item) => this.#number(item));
  }

  /** Ends the streams in the sandbox; what came of them goes into the trace. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#gate.close();
    for (const { stream } of this.#segments) stream.close();
    this.#tally.trace(this.#exchange.trace);
  }

  async #runSegment(segment: Segment, items: readonly EventItem[]): Promise<readonly EventItem[]> {
    const { wanted, stream, guard } = segment;
    const shown = items.filter(({ type, value }) => value !== undefined && (wanted === undefined || wanted.has(type)));
    if (shown.length === 0 && guard === undefined) return items;
    const result = shown.length === 0 ? undefined : await this.#gate.wait(stream.push(shown.map((item) => this.#show(item))));
    if (result !== undefined && result.events.length !== shown.length) throw new Error("the sandbox lost events of a stream");
    const outcomes = result?.outcomes ?? [];
    const blamed = new Set<number>();
    for (const outcome of outcomes) {
      const unit = unitOf(segment, outcome);
      const failure = this.#services.failures.read(unit, "onEvent", outcome);
      this.#tally.count(unit, outcome, shown.length);
      if (failure === undefined) continue;
      blamed.add(unit.index);
      this.#fail(unit, failure.reason, failure.shown, outcome, failure.error);
    }
    const out: EventItem[] = [];
    let next = 0;
    for (const item of items) {
      if (item.value === undefined) {
        out.push(item);
        continue;
      }
      const place = shown[next] === item ? next++ : undefined;
      const texts = place === undefined ? 0 : (result?.events[place] ?? 0);
      const made = texts === 0 ? [item] : this.#read(item, texts);
      const fault = made === undefined ? noEvent : touchesTools(guard, item.value, made);
      if (fault !== undefined) this.#refuse(segment, { outcomes, blamed, place, ...fault });
      if (fault === undefined && texts !== 0 && (made?.length !== 1 || made[0] !== item)) this.#isChanged = true;
      out.push(...(fault === undefined && made !== undefined ? made : [item]));
    }
    for (const outcome of outcomes) {
      if (outcome.writes === undefined || blamed.has(outcome.unit)) continue;
      await commitWrites(this.#exchange, this.#services, unitOf(segment, outcome), outcome);
    }
    return out;
  }

  /** An upstream may repeat the key it did not like; what the model said is not searched. */
  #show({ type, data }: EventItem): string {
    return !saidByModel.test(type) ? this.#services.redact(hideCredentials(data, this.#exchange.caller.credentials)) : data;
  }

  /** Undefined when one of them is no event. */
  #read(original: EventItem, texts: readonly string[]): readonly EventItem[] | undefined {
    const made: EventItem[] = [];
    for (const text of texts) {
      const value = this.#codec.read(text);
      if (value === undefined) return undefined;
      made.push(text === original.data ? original : madeEvent(text, value));
    }
    return made;
  }

  /** Only what came of a segment as a whole is known: each unit that changed this event may have been the one. */
  #refuse(segment: Segment, { outcomes, blamed, place, what, where }: Refused): void {
    const changing = outcomes.filter(({ changed }) => place !== undefined && changed?.includes(place));
    for (const outcome of changing.length > 0 ? changing : outcomes) {
      const unit = unitOf(segment, outcome);
      if (blamed.has(unit.index)) continue;
      blamed.add(unit.index);
      this.#fail(unit, `${unitName(unit)} ${what}${where}`, what, outcome, undefined);
    }
  }

  #fail(unit: LoadedUnit, reason: string, shown: string, outcome: PhaseOutcome, error: UnitError): void {
    const isFirst = this.#tally.fail(unit);
    const failure = { unit, phase: "onEvent", reason, shown, error } as const;
    // A hook that fails with every event would fill the trace.
    if (isFirst || unit.onError === "deny") takeFailure(this.#exchange, this.#services, failure, outcome, false);
  }

  #number(item: EventItem): readonly EventItem[] {
    if (item.value === undefined) return [item];
    const placed = this.#numbering.place(item.value, this.#isChanged);
    if (placed === undefined) return [];
    return [placed === item.value ? item : madeEvent(JSON.stringify(placed), placed)];
  }
}

interface Fault {
  readonly what: string;
  readonly where: string;
}

interface Refused extends Fault {
  readonly outcomes: readonly PhaseOutcome[];
  /** Units that have failed in this batch already. */
  readonly blamed: Set<number>;
  /** Of the event among those that were shown. */
  readonly place: number | undefined;
}

const noEvent: Fault = { what: "made an event that is none of the protocol", where: "" };

const saidByModel = /^(?:message_|content_block_|ping$)/;

type UnitError = Parameters<typeof takeFailure>[2]["error"];

function unitOf({ byIndex }: Segment, { unit }: PhaseOutcome): LoadedUnit {
  const found = byIndex.get(unit);
  if (found === undefined) throw new Error(`the sandbox ran unit ${unit}, which was not asked for`);
  return found;
}

function touchesTools(guard: ToolGuard | undefined, original: JsonObject, made: readonly EventItem[]): Fault | undefined {
  const change = guard?.change(
    original,
    made.flatMap(({ value }) => (value === undefined ? [] : [value])),
  );
  return change === undefined ? undefined : { what: 'touched a tool call without the grant "reply:tools"', where: `: ${change}` };
}

function segmentsOf(hooks: readonly LoadedUnit[]): readonly (readonly LoadedUnit[])[] {
  const segments: LoadedUnit[][] = [];
  for (const hook of hooks) {
    const last = segments.at(-1);
    const neighbour = last?.at(-1);
    if (last !== undefined && neighbour !== undefined && hasToolGrant(neighbour) === hasToolGrant(hook)) last.push(hook);
    else segments.push([hook]);
  }
  return segments;
}

function wantedBy(units: readonly LoadedUnit[]): ReadonlySet<string> | undefined {
  const wanted = new Set<string>();
  for (const { manifest } of units) {
    if (manifest.events === undefined) return undefined;
    for (const type of manifest.events) wanted.add(type);
  }
  return wanted;
}
