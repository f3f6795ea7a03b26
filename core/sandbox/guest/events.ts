/** The events of a stream, as one unit sees them: parsed, handed over in order, and written out again only where changed. */

import { createContext } from "./context.ts";
import { Recorder } from "./recorder.ts";
import type { Answer } from "./entry-format.ts";
import { describeValue, InvalidResult } from "./errors.ts";
import { encodeFailure } from "./run.ts";
import { toJson } from "./stores.ts";
import { type EventHandler, isThenable, type LoadedUnit } from "./unit.ts";

/** What comes of one event: nothing changed, or the texts that take its place. */
type Output = 0 | readonly string[];

/** Of a batch, as JSON. The host looks more closely; this only keeps it from being flooded. */
const maxLength = 4_000_000;

/** One unit on one stream. */
export interface EventRun {
  readonly recorder: Recorder;
  push(events: readonly string[]): Answer;
  poll(): Answer;
}

/** JSON texts. */
export interface EventRunSource {
  readonly facts: string;
  readonly rest: string;
  readonly stores: string;
}

export function createEventRun(unit: LoadedUnit, { facts, rest, stores }: EventRunSource): EventRun {
  const recorder = new Recorder({ base: unit.base, phase: "onEvent", facts, readLateFact: undefined, rest, stores });
  const { events: types } = unit.manifest;
  let handler: EventHandler | undefined;
  let answer: Answer | undefined;

  const handle = (text: string): Output | Promise<Output> => {
    if (types !== undefined && !types.includes(typeOf(text))) return 0;
    handler ??= unit.openStream?.(createContext(recorder));
    const event = JSON.parse(text) as object;
    const returned = handler?.(event);
    // A promise of our own: one of the user's may have a `then` of its own, whose result would pass for an output.
    return isThenable(returned)
      ? new Promise((resolve) => resolve(returned)).then((value: unknown) => encode(event, text, value))
      : encode(event, text, returned);
  };
  const finish = (outputs: readonly Output[]): Answer => {
    const isUntouched = outputs.every((output) => output === 0);
    const writes = recorder.takeWrites(false);
    if (isUntouched && writes === undefined) return "-";
    const texts = JSON.stringify(outputs);
    if (texts.length > maxLength) throw new InvalidResult(`onEvent made ${texts.length} characters of one batch, more than ${maxLength}`);
    return `-{"events":${texts}${writes === undefined ? "" : `,"writes":${writes}`}}`;
  };
  const fail = (thrown: unknown): Answer => encodeFailure(recorder, thrown, thrown instanceof InvalidResult ? "invalid" : "threw");

  /** Goes on where the last promise stopped it. */
  const goOn = async (outputs: Output[], first: Promise<Output>, rest: readonly string[]): Promise<void> => {
    try {
      outputs.push(await first);
      for (const text of rest) outputs.push(await handle(text));
      answer = finish(outputs);
    } catch (thrown) {
      answer = fail(thrown);
    }
  };

  return {
    recorder,
    push(events) {
      answer = undefined;
      const outputs: Output[] = [];
      try {
        for (const [index, text] of events.entries()) {
          const output = handle(text);
          if (output instanceof Promise) {
            void goOn(outputs, output, events.slice(index + 1));
            return "?";
          }
          outputs.push(output);
        }
        return finish(outputs);
      } catch (thrown) {
        return fail(thrown);
      }
    },
    poll: () => answer ?? encodeFailure(recorder, new Error("onEvent waits for a promise that nothing will ever settle"), "deadlock"),
  };
}

function encode(event: object, text: string, returned: unknown): Output {
  if (returned === null) return [];
  if (returned === undefined || returned === event) {
    const after = JSON.stringify(event);
    // Mostly the text is what JSON.stringify makes; where it is not, both are compared in its form.
    return after === text || after === JSON.stringify(JSON.parse(text)) ? 0 : [toJson(event, "onEvent")];
  }
  if (Array.isArray(returned)) {
    const texts = returned.map((member: unknown) => encodeEvent(member));
    return texts.length === 1 && texts[0] === text ? 0 : texts;
  }
  return [encodeEvent(returned)];
}

function encodeEvent(event: unknown): string {
  if (typeof event !== "object" || event === null || Array.isArray(event))
    throw new InvalidResult(`onEvent returned ${describeValue(event)}; wanted nothing, the event, null, or a list of events`);
  if (typeof Reflect.get(event, "type") !== "string") throw new InvalidResult("onEvent returned an event without a type");
  return toJson(event, "onEvent");
}

/** Without parsing, where the type comes first, as it does. */
function typeOf(text: string): string {
  const head = '{"type":"';
  if (text.startsWith(head)) return text.slice(head.length, text.indexOf('"', head.length));
  const { type } = JSON.parse(text) as { type?: unknown };
  return typeof type === "string" ? type : "";
}
