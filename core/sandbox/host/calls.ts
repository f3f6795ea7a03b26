/** Calls of the phases other than onEvent: unit after unit, until one decides or changes something, waits or needs more. */

import type { CallMessage, OperationResult } from "../protocol.ts";
import type { CagedFile, CallFailure, CallResult } from "./cage.ts";
import { secondChanceMs, upkeepSliceMs } from "./limits.ts";
import type { Program } from "./program.ts";
import { type Candidate, createRuleBatches, hasAnsweredAll, readAnswers, type RuleBatch, storesOf } from "./rule-batch.ts";

export interface Calls {
  begin(message: CallMessage & { readonly id: number }, payload: Uint8Array): void;
  resume(id: number, results: readonly OperationResult[]): void;
  abort(id: number, reason: string, force: boolean): void;
  /** Drops the runs of a version. */
  forget(version: number): void;
}

interface Call {
  readonly id: number;
  readonly message: CallMessage;
  /** What the entry is told: run, phase, context; then come stores, then the tail. */
  readonly head: readonly unknown[];
  readonly tail: readonly unknown[];
  /** Units that have not been run. */
  rest: readonly number[];
  /** JSON, of the units that have been run. */
  readonly outcomes: string[];
  hasBegun: boolean;
}

/** A run that waits for the proxy. */
interface Waiting {
  readonly call: Call;
  readonly unit: number;
  readonly file: CagedFile;
  readonly generation: number;
  us: number;
}

export function createCalls(programs: ReadonlyMap<number, Program>, write: (json: string) => void): Calls {
  const waiting = new Map<number, Waiting>();
  const batches = createRuleBatches(programs);
  /** Whether what is answered now is an abort. */
  let isAborting = false;

  /** Runs unit after unit from where the call stands. */
  const goOn = (call: Call): void => {
    while (call.rest.length > 0) {
      const [unit = 0] = call.rest;
      if (call.hasBegun) write(`{"type":"progress","id":${call.id},"unit":${unit}}`);
      call.hasBegun = true;
      const batch = batches.find(call.message, call.rest);
      const isOver = batch === undefined ? runOne(call, unit) : runBatch(call, batch);
      if (isOver) return;
    }
    finish(call);
  };
  const finish = (call: Call): void => write(`{"type":"done","id":${call.id},"outcomes":[${call.outcomes.join(",")}]}`);

  /** @returns whether the call has been answered */
  const runBatch = (call: Call, { candidates, files, units, nothing }: RuleBatch): boolean => {
    const [first] = candidates;
    if (first === undefined) return false;
    const values = [units, ...call.head, storesOf(call.message, candidates), ...call.tail];
    const begun = performance.now();
    const result = first.file.cage.dispatch(files, values, call.message.sliceMs);
    const elapsedUs = (performance.now() - begun) * 1000;
    if (result.type === "answer" && result.text === nothing) {
      const us = Math.round(elapsedUs / candidates.length);
      for (const { unit } of candidates) call.outcomes.push(`{"unit":${unit},"us":${us}}`);
      call.rest = call.rest.slice(candidates.length);
      return false;
    }
    if (hasAnsweredAll(result, candidates.length)) return runEach(call, candidates);
    const answers = readAnswers(result);
    // Nothing inside an isolate can measure so short a time, so each gets its share.
    const us = Math.round(elapsedUs / Math.max(1, answers.length));
    for (const [index, answer] of answers.entries()) {
      const ran = candidates[index];
      if (ran === undefined) break;
      if (take(call, ran.unit, ran.file, answer, us)) return true;
    }
    if (result.type === "answer") return false;
    // The first one had all the time; a later one has had what the others left, and is run again by itself.
    if (result.kind === "timeout" && answers.length === 0 && result.cursor !== undefined && result.isStarved !== true)
      return fail(call, first.unit, us, result);
    const [unit = 0] = call.rest;
    if (answers.length > 0 || result.isStarved === true) write(`{"type":"progress","id":${call.id},"unit":${unit}}`);
    return runOne(call, unit);
  };

  /** One after the other, whatever they answered together: only so it is seen which of them left something behind that does not end. */
  const runEach = (call: Call, batch: readonly Candidate[]): boolean => {
    for (const { unit } of batch) {
      if (call.rest.length === 0) break;
      write(`{"type":"progress","id":${call.id},"unit":${unit}}`);
      if (runOne(call, unit)) return true;
    }
    return false;
  };

  const runOne = (call: Call, unit: number): boolean => {
    const file = programs.get(call.message.version)?.file(unit);
    if (file === undefined) return fail(call, unit, 0, { type: "failed", kind: "threw", message: `unit ${unit} is not loaded`, stack: "" });
    const stores = call.message.stores[unit];
    const begun = performance.now();
    const values = ["run", String(unit), ...call.head, stores === undefined ? "" : JSON.stringify(stores), ...call.tail];
    let result = file.cage.ask(file, values, call.message.sliceMs);
    if (result.type === "failed" && result.isStarved === true) {
      write(`{"type":"progress","id":${call.id},"unit":${unit}}`);
      const second = file.cage.ask(file, values, call.message.sliceMs + secondChanceMs);
      result = second.type === "failed" ? { ...second, isStarved: false } : second;
    }
    return takeResult(call, unit, file, result, begun, 0);
  };

  const takeResult = (call: Call, unit: number, file: CagedFile, result: CallResult, begun: number, usBefore: number): boolean => {
    const us = usBefore + Math.round((performance.now() - begun) * 1000);
    if (result.type === "failed" && result.isStarved === true) {
      // What it had come to is gone with its isolate: with no part missing the same call is wanted again.
      write(`{"type":"need","id":${call.id},"unit":${unit},"parts":[]}`);
      return true;
    }
    return result.type === "failed" ? fail(call, unit, us, result) : take(call, unit, file, result.text, us);
  };

  /** @returns whether the call has been answered */
  const take = (call: Call, unit: number, file: CagedFile, answer: string, us: number): boolean => {
    const json = answer.slice(1);
    switch (answer.charAt(0)) {
      case "?": {
        const begun = performance.now();
        return takeResult(call, unit, file, file.cage.ask(file, ["poll", String(call.id)], call.message.sliceMs), begun, us);
      }
      case "!":
        write(`{"type":"need","id":${call.id},"unit":${unit},"parts":${json}}`);
        return true;
      case "@":
        waiting.set(call.id, { call, unit, file, generation: file.cage.generation(), us });
        write(
          isAborting && json === "[]"
            ? `{"type":"aborted","id":${call.id}}`
            : `{"type":"operations","id":${call.id},"unit":${unit},"operations":${json}}`,
        );
        return true;
      default:
        settle(call, unit, us, json);
        if (answer.startsWith("+")) call.rest = [];
        return false;
    }
  };

  const fail = (call: Call, unit: number, us: number, { kind, message, stack }: CallFailure): boolean => {
    settle(call, unit, us, `{"error":${JSON.stringify({ name: "Error", message, stack, kind })}}`);
    return false;
  };
  /** @param json the outcome without unit and µs; empty where there is nothing else */
  const settle = (call: Call, unit: number, us: number, json: string): void => {
    call.outcomes.push(`{"unit":${unit},"us":${us}${json === "" ? "}" : `,${json.slice(1)}`}`);
    call.rest = call.rest.slice(1);
  };

  const continueRun = (id: number, { call, unit, file, us }: Waiting, values: readonly string[]): void => {
    waiting.delete(id);
    const begun = performance.now();
    const result = file.cage.ask(file, values, call.message.sliceMs);
    if (!takeResult(call, unit, file, result, begun, us)) goOn(call);
  };

  return {
    begin(message, payload) {
      goOn(createCall(message, payload));
    },
    resume(id, results) {
      const run = waiting.get(id);
      if (run !== undefined && run.generation === run.file.cage.generation()) {
        return continueRun(id, run, ["resume", String(id), JSON.stringify(results)]);
      }
      // Another run has taken the isolate along: with no part missing the same call is wanted again.
      waiting.delete(id);
      write(`{"type":"need","id":${id},"unit":${run?.unit ?? 0},"parts":[]}`);
    },
    abort(id, reason, force) {
      const run = waiting.get(id);
      waiting.delete(id);
      const isThere = run !== undefined && run.generation === run.file.cage.generation();
      if (force) {
        if (isThere) run.file.cage.ask(run.file, ["drop", String(id)], upkeepSliceMs);
        return;
      }
      if (!isThere) return write(`{"type":"aborted","id":${id}}`);
      isAborting = true;
      continueRun(id, run, ["abort", String(id), reason]);
      isAborting = false;
    },
    forget(version) {
      batches.forget(version);
      for (const [id, { call }] of waiting) if (call.message.version === version) waiting.delete(id);
    },
  };
}

function createCall(message: CallMessage & { readonly id: number }, payload: Uint8Array): Call {
  const bytes = Buffer.from(payload.buffer, payload.byteOffset, payload.length);
  const names: string[] = [];
  const texts: string[] = [];
  let at = 0;
  for (const [field, index, length] of message.parts) {
    names.push(`${field}#${index}`);
    texts.push(bytes.toString("utf8", at, at + length));
    at += length;
  }
  const { facts, ...rest } = message.context;
  const subject = message.subject ?? JSON.stringify(message.shape ?? { keys: [], lengths: {} });
  return {
    id: message.id,
    message,
    head: [String(message.id), message.phase, JSON.stringify(facts), JSON.stringify(rest)],
    tail: [subject, JSON.stringify(names), ...texts],
    rest: message.units,
    outcomes: [],
    hasBegun: false,
  };
}
