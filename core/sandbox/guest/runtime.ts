/** The units of one context and their runs, behind the operations of the entry. */

import type { OperationResult, Phase } from "../protocol.ts";
import type { Recorder } from "./recorder.ts";
import { definedAs, loadUnit } from "./definition.ts";
import type { UnitInfo } from "./entry-format.ts";
import { describeError } from "./errors.ts";
import { createEventRun, type EventRun } from "./events.ts";
import type { FactsSource } from "./facts.ts";
import { createLog, type Log } from "./log.ts";
import { createRun, type Run } from "./run.ts";
import { runScript } from "./run-script.ts";
import type { LoadedUnit } from "./unit.ts";

export interface Runtime {
  /** Never throws. */
  perform(operation: string, values: readonly string[]): string;
  readonly currentLog: () => Log;
}

/** Of the values of a run: what stands before are its unit, its number, phase, facts, context, stores, subject and the names of its parts. */
const firstPart = 8;
const noParts: ReadonlyMap<string, string> = new Map();

export function createRuntime(): Runtime {
  const units = new Map<string, LoadedUnit>();
  const runs = new Map<string, Run>();
  const eventRuns = new Map<string, EventRun>();
  /** Said while nothing ran, e.g. while the file was loaded; goes out with the next run. */
  const outside = createLog();
  let current: Recorder | undefined;
  let last = "";

  const enter = (recorder: Recorder): void => {
    current = recorder;
    if (!outside.isEmpty()) outside.moveTo(recorder.log);
  };
  const finishRun = (id: string, answer: string): string => {
    if (answer.startsWith("?") || answer.startsWith("@")) return answer;
    runs.delete(id);
    return answer;
  };
  // By index: taking a list apart by pattern costs as much as a small rule.
  const start = (values: readonly string[], facts: FactsSource): string => {
    const unit = units.get(values[0] ?? "");
    if (unit === undefined) return failed(new Error("the file is not loaded"));
    const run = createRun({
      unit,
      phase: values[2] as Exclude<Phase, "onEvent">,
      facts,
      rest: values[4] ?? "",
      stores: values[5] ?? "",
      subject: values[6] ?? "",
      parts: values.length > firstPart ? readParts(values) : noParts,
    });
    enter(run.recorder);
    const answer = run.start();
    if (answer.startsWith("?") || answer.startsWith("@")) runs.set(values[1] ?? "", run);
    return answer;
  };
  /** Events of several streams for one unit: `[stream, number of events, facts, rest, stores]` of each in the heads. */
  const push = ([unit = "", headsText = "[]", ...events]: readonly string[]): string => {
    const loaded = units.get(unit);
    if (loaded === undefined) return failed(new Error("the file is not loaded"));
    const heads = JSON.parse(headsText) as (readonly [stream: string, count: number, facts: string, rest: string, stores: string])[];
    let at = 0;
    return heads
      .map(([stream, count, facts, rest, stores]) => {
        const key = `${unit} ${stream}`;
        let run = eventRuns.get(key);
        if (run === undefined || facts !== "") {
          run = createEventRun(loaded, { facts, rest, stores });
          eventRuns.set(key, run);
        }
        enter(run.recorder);
        at += count;
        return run.push(events.slice(at - count, at));
      })
      .join("\n");
  };
  const withRun = (id: string, use: (run: Run) => string): string => {
    const run = runs.get(id);
    if (run === undefined) return failed(new Error("the run has ended"));
    enter(run.recorder);
    return use(run);
  };

  const performUnsafely = (operation: string, values: readonly string[]): string => {
    const first = values[0] ?? "";
    const second = values[1] ?? "";
    switch (operation) {
      case "load":
        return load(units, first, second);
      case "run":
        return start(values, values[3] as FactsSource);
      case "poll":
        return withRun(first, (run) => finishRun(first, run.poll()));
      case "resume":
        return withRun(first, (run) => {
          run.resume(JSON.parse(second) as OperationResult[]);
          return "?";
        });
      case "abort":
        return withRun(first, (run) => {
          run.abort(second);
          return "?";
        });
      case "drop":
        runs.delete(first);
        return "";
      case "events":
        return push(values);
      case "poll-events":
        return eventRuns.get(`${first} ${second}`)?.poll() ?? failed(new Error("the stream has ended"));
      case "end":
        for (const key of eventRuns.keys()) if (key.endsWith(` ${first}`)) eventRuns.delete(key);
        return "";
      default:
        return failed(new Error(`unknown operation ${operation}`));
    }
  };

  return {
    currentLog: () => current?.log ?? outside,
    perform(operation, values) {
      if (operation === "stray") {
        outside.write("error", ["a promise was rejected and nobody handled it:", values[0] ?? ""]);
        return last;
      }
      current = undefined;
      try {
        last = performUnsafely(operation, values);
      } catch (thrown) {
        last = failed(thrown);
      }
      return last;
    },
  };
}

function readParts(values: readonly string[]): ReadonlyMap<string, string> {
  const names = JSON.parse(values[firstPart - 1] ?? "[]") as readonly string[];
  return new Map(names.map((name, index) => [name, values[firstPart + index] ?? "null"]));
}

function load(units: Map<string, LoadedUnit>, infosText: string, code: string): string {
  const infos = JSON.parse(infosText) as UnitInfo[];
  const evaluated = evaluate(code, infos[0]?.file ?? "");
  const manifests = infos.map((info) => {
    try {
      if ("thrown" in evaluated) throw evaluated.thrown;
      const loaded = loadUnit(info, evaluated.exports);
      units.set(String(info.unit), loaded);
      return loaded.manifest;
    } catch (thrown) {
      return {
        unit: info.unit,
        error: describeError(thrown),
        defined: "exports" in evaluated ? definedAs(info, evaluated.exports) : undefined,
        phases: [],
        required: false,
        buffer: false,
      };
    }
  });
  return JSON.stringify(manifests);
}

/** A strict script keeps its variables to itself: hence the last line. */
function evaluate(code: string, file: string): { readonly exports: unknown } | { readonly thrown: unknown } {
  try {
    return { exports: runScript(`${code}\n;__exports;\n//# sourceURL=${file.replaceAll(/\s/g, "_")}`) };
  } catch (thrown) {
    return { thrown };
  } finally {
    Reflect.deleteProperty(globalThis, "__exports");
  }
}

function failed(thrown: unknown): string {
  return `-{"error":${JSON.stringify({ ...describeError(thrown), kind: "threw" })}}`;
}
