/** One call of one unit: begins it, lets it wait, and puts what came of it into a line of JSON. */

import { factIndex, type LateFact } from "../late-facts.ts";
import type { OperationResult, PartName, Phase, RequestShape, UnitOutcome } from "../protocol.ts";
import { createContext } from "./context.ts";
import { deepFreeze } from "./deep-freeze.ts";
import { Recorder } from "./recorder.ts";
import type { Answer } from "./entry-format.ts";
import { describeError, InvalidResult } from "./errors.ts";
import type { FactsSource } from "./facts.ts";
import { createLateRequest } from "./late-request.ts";
import { readDecision, readVerdict } from "./results.ts";
import { isThenable, type LoadedUnit } from "./unit.ts";
import { createDocumentView, createView } from "./view.ts";

/** The proxy reads what comes back in one go, and everybody else waits meanwhile. */
const maxAnswerLength = 8_000_000;

export interface RunSource {
  readonly unit: LoadedUnit;
  readonly phase: Exclude<Phase, "onEvent">;
  readonly facts: FactsSource;
  /** JSON, like all of these. */
  readonly rest: string;
  readonly stores: string;
  /** JSON of the shape of the request, or of what the phase is about. */
  readonly subject: string;
  /** JSON texts, by `field#index`. */
  readonly parts: ReadonlyMap<string, string>;
}

/** Thrown where a part is missing. User code may catch it; the run ends with `need` all the same. */
class MissingPart extends Error {}

type Ending = { readonly value: unknown } | { readonly thrown: unknown };

export interface Run {
  readonly recorder: Recorder;
  start(): Answer;
  poll(): Answer;
  resume(results: readonly OperationResult[]): void;
  abort(reason: string): void;
}

export function createRun(source: RunSource): Run {
  const { unit, phase } = source;
  const missing: PartName[] = [];
  const onNeed = (part: PartName): never => {
    missing.push(part);
    throw new MissingPart("this part of the request is being fetched");
  };
  const recorder = new Recorder({
    base: unit.base,
    phase,
    facts: source.facts,
    rest: source.rest,
    stores: source.stores,
    readLateFact: seesRequest(phase) ? (name) => readLateFact(source, name, onNeed) : undefined,
  });
  const subject = createSubject(source, onNeed);
  let ending: Ending | undefined;

  const answer = (): Answer => {
    if (missing.length > 0) return `!${JSON.stringify(missing)}`;
    const asked = ending === undefined ? recorder.takeOperations() : undefined;
    if (asked !== undefined) return `@${asked}`;
    if (ending !== undefined) {
      const outcome = encodeOutcome(phase, subject, recorder, ending);
      // What was changed may lead to parts that were not read.
      return missing.length > 0 ? `!${JSON.stringify(missing)}` : outcome;
    }
    return recorder.isWaiting
      ? "@[]"
      : encodeFailure(recorder, new Error("it waits for a promise that nothing will ever settle"), "deadlock");
  };

  return {
    recorder,
    start() {
      try {
        const handler = unit.handlers.get(phase);
        if (handler === undefined) throw new InvalidResult(`${unit.base.info.file} has no ${phase}`);
        const value = handler(subject.view, createContext(recorder));
        if (!isThenable(value)) ending = { value };
        else {
          // A promise of our own: one of the user's may have a `then` that calls back when it likes.
          new Promise((resolve) => resolve(value)).then(
            (settled: unknown) => (ending = { value: settled }),
            (thrown: unknown) => (ending = { thrown }),
          );
          return missing.length > 0 ? answer() : "?";
        }
      } catch (thrown) {
        ending = { thrown };
      }
      return answer();
    },
    poll: answer,
    resume: (results) => recorder.operations.resume(results),
    abort: (reason) => recorder.signal.abort(reason),
  };
}

function seesRequest(phase: Phase): boolean {
  return phase === "rule" || phase === "preCall" || phase === "preUpstream";
}

function readLateFact({ parts }: RunSource, name: LateFact, onNeed: (part: PartName) => never): unknown {
  const text = parts.get(`${name}#${factIndex}`);
  const value: unknown = text === undefined ? onNeed([name, factIndex]) : JSON.parse(text);
  return value;
}

const unpatched = (): undefined => undefined;

interface Subject {
  readonly view: unknown;
  /** JSON; undefined when nothing was changed. */
  patch(): string | undefined;
}

function createSubject({ phase, subject, parts }: RunSource, onNeed: (part: PartName) => never): Subject {
  if (phase === "onError" || phase === "onComplete") {
    const view: unknown = deepFreeze(JSON.parse(subject));
    return { view, patch: unpatched };
  }
  if (phase === "rule")
    return { view: createLateRequest(() => createView(JSON.parse(subject) as RequestShape, parts, onNeed).view), patch: unpatched };
  const document = phase === "postCall" ? createDocumentView(subject) : createView(JSON.parse(subject) as RequestShape, parts, onNeed);
  return {
    view: document.view,
    patch() {
      const changes = document.patch();
      return changes === undefined ? undefined : JSON.stringify(changes);
    },
  };
}

function encodeOutcome(phase: Phase, subject: Subject, recorder: Recorder, ending: Ending): Answer {
  if ("thrown" in ending) return encodeFailure(recorder, ending.thrown, ending.thrown instanceof InvalidResult ? "invalid" : "threw");
  try {
    const members = phase === "rule" ? encodeVerdict(ending.value) : encodeDecision(phase, subject, recorder, ending.value);
    if (recorder.isWaiting)
      recorder.log.write("warn", ["something was asked for with context.fetch, callModel or kv and not awaited: it was not done"]);
    const isLast = members.length > 0 && phase !== "onComplete";
    const writes = recorder.takeWrites(false);
    if (writes !== undefined) members.push(`"writes":${writes}`);
    const text = members.length === 0 ? "" : `{${members.join(",")}}`;
    if (text.length > maxAnswerLength)
      throw new InvalidResult(`the changes come to ${text.length} characters; at most ${maxAnswerLength} are taken`);
    return (isLast ? "+" : "-") + text;
  } catch (thrown) {
    return encodeFailure(recorder, thrown, "invalid");
  }
}

/** What a rule did to the request is not looked at: it would cost as much as the rule. */
function encodeVerdict(value: unknown): string[] {
  const verdict = readVerdict(value);
  return verdict === undefined ? [] : [`"verdict":${verdict}`];
}

function encodeDecision(phase: Phase, subject: Subject, recorder: Recorder, value: unknown): string[] {
  const members: string[] = [];
  if (phase === "onComplete") return members;
  const decision = readDecision(phase, value, subject.view);
  const patch = subject.patch();
  const headers = recorder.headerChanges();
  if (decision !== undefined) members.push(`"decision":${decision}`);
  if (patch !== undefined) members.push(`"patch":${patch}`);
  if (headers !== undefined) members.push(`"headers":${headers}`);
  return members;
}

/** An outcome with an error; what was logged still counts. */
export function encodeFailure(recorder: Recorder, thrown: unknown, kind: NonNullable<UnitOutcome["error"]>["kind"]): Answer {
  const error = JSON.stringify({ ...describeError(thrown), kind });
  const writes = recorder.takeWrites(true);
  return `-{"error":${error}${writes === undefined ? "" : `,"writes":${writes}`}}`;
}
