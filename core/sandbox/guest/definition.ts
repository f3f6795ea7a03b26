/** Finds out what a file exports: a definition, a function, a class or an object, as a rule, a hook or a callback. */

import type { Context, HookPhase } from "../../../sdk/context.ts";
import type { Phase, UnitManifest } from "../protocol.ts";
import { adaptCallback } from "./callback.ts";
import { deepFreeze } from "./deep-freeze.ts";
import type { UnitBase } from "./recorder.ts";
import type { UnitInfo } from "./entry-format.ts";
import { describeValue, SandboxError } from "./errors.ts";
import { type EventHandler, type Handler, type LoadedUnit, type Methods, readMember } from "./unit.ts";

const definitionMark = Symbol.for("ccproxy.definition");
const hookPhases: readonly Exclude<HookPhase, "onEvent">[] = ["preCall", "preUpstream", "postCall", "onError", "onComplete"];
const maxTextLength = 200;

/** @throws whatever the code of the file throws, and SandboxError for an export of no use */
export function loadUnit(info: UnitInfo, exports: unknown): LoadedUnit {
  const exported = pickExport(exports, info);
  const defined = markOf(exported);
  if (defined !== undefined && defined !== info.kind && info.kind !== "callback") {
    const place = defined === "rule" ? "ccproxy.rules" : "ccproxy.hooks";
    throw new SandboxError(
      `${info.file} exports a ${defined}, made with ${defined === "rule" ? "defineRule" : "defineHook"}; it belongs into ${place}, not among the ${info.kind}s`,
    );
  }
  const value = isClass(exported) ? construct(exported, info) : exported;
  const base: UnitBase = {
    info,
    params: readParams(value, info),
    env: Object.freeze({ ...info.env }),
    grants: Object.freeze({ ...info.grants }),
  };
  const { handlers, openStream, events } = findMethods(info, value);
  const phases: Phase[] = [...handlers.keys()];
  if (openStream !== undefined) phases.push("onEvent");
  const manifest: UnitManifest = {
    unit: info.unit,
    error: undefined,
    defined,
    label: readText(value, "label"),
    summary: readText(value, "summary"),
    phases,
    required: readMember(value, "required") === true,
    buffer: readMember(value, "buffer") === true,
    events,
  };
  return { base, manifest, handlers, openStream, events };
}

/** What the export of a unit was made with, of use or not; undefined also when looking at it throws. */
export function definedAs({ exportName }: UnitInfo, exports: unknown): "rule" | "hook" | undefined {
  try {
    return markOf(readMember(exports, exportName)) ?? (exportName === "default" ? markOf(exports) : undefined);
  } catch {
    return undefined;
  }
}

function findMethods(info: UnitInfo, value: unknown): Methods {
  if (info.kind === "rule") return ruleMethods(info, value);
  if (info.kind === "callback" && markOf(value) === undefined) return adaptCallback(info, value);
  return hookMethods(info, value);
}

function ruleMethods(info: UnitInfo, value: unknown): Methods {
  const evaluate = typeof value === "function" ? value : readMember(value, "evaluate");
  if (typeof evaluate !== "function")
    throw new SandboxError(
      `${info.file}: the export ${info.exportName} is ${describeValue(value)}; wanted defineRule(…), a function, or a class with a method evaluate`,
    );
  const receiver = typeof value === "function" ? undefined : value;
  const handler: Handler = (request, context) => Reflect.apply(evaluate, receiver, [request, context.params, context]) as unknown;
  return { handlers: new Map([["rule", handler]]), openStream: undefined, events: undefined };
}

function hookMethods(info: UnitInfo, value: unknown): Methods {
  const handlers = new Map<Phase, Handler>();
  if (typeof value === "function") {
    handlers.set("preCall", (request, context) => Reflect.apply(value, undefined, [request, context]) as unknown);
    return { handlers, openStream: undefined, events: undefined };
  }
  for (const phase of hookPhases) {
    const method = readMember(value, phase);
    if (typeof method === "function")
      handlers.set(phase, (subject, context) => Reflect.apply(method, value, [subject, context]) as unknown);
    else if (method !== undefined) throw new SandboxError(`${info.file}: ${phase} is ${describeValue(method)}; wanted a function`);
  }
  const onEvent = readMember(value, "onEvent");
  const openStream =
    typeof onEvent !== "function"
      ? undefined
      : (context: Context): EventHandler =>
          (event) =>
            Reflect.apply(onEvent, value, [event, context]) as unknown;
  if (handlers.size === 0 && openStream === undefined)
    throw new SandboxError(
      `${info.file}: the export ${info.exportName} is ${describeValue(value)} without a phase; wanted defineHook({ preCall, onEvent, postCall, … }), a function, or a class with such methods`,
    );
  return { handlers, openStream, events: openStream === undefined ? undefined : readEvents(info, value) };
}

function readEvents(info: UnitInfo, value: unknown): readonly string[] | undefined {
  const events = readMember(value, "events");
  if (events === undefined) return undefined;
  if (!Array.isArray(events) || !events.every((event): event is string => typeof event === "string"))
    throw new SandboxError(`${info.file}: events is ${describeValue(events)}; wanted a list of types, e.g. ["content_block_delta"]`);
  return events.map((event) => event.slice(0, maxTextLength));
}

function pickExport(exports: unknown, { file, exportName }: UnitInfo): unknown {
  if (exportName === "default" && (typeof exports === "function" || markOf(exports) !== undefined)) return exports;
  if (typeof exports !== "object" || exports === null) throw new SandboxError(`${file} exports ${describeValue(exports)}; wanted a module`);
  const value = readMember(exports, exportName);
  if (value !== undefined) return value;
  const names = Object.keys(exports);
  const has = names.length === 0 ? "it exports nothing" : `it exports ${names.slice(0, 20).join(", ")}`;
  throw new SandboxError(`${file} has no ${exportName === "default" ? "default export" : `export ${exportName}`}; ${has}`);
}

/** Positional parameters as arguments, named ones as one object, none as none. */
function construct(exported: new (...values: unknown[]) => unknown, { params }: UnitInfo): unknown {
  if (params.positional.length > 0) return new exported(...params.positional);
  return Object.keys(params.named).length > 0 ? new exported(params.named) : new exported();
}

function readParams(value: unknown, { params }: UnitInfo): unknown {
  const raw: unknown = params.positional.length > 0 ? params.positional : params.named;
  deepFreeze(raw);
  const read = markOf(value) === undefined ? undefined : readMember(value, "params");
  return typeof read === "function" ? (Reflect.apply(read, value, [raw]) as unknown) : raw;
}

function isClass(value: unknown): value is new (...values: unknown[]) => unknown {
  if (typeof value !== "function") return false;
  if (/^class\b/.test(Function.prototype.toString.call(value))) return true;
  const prototype: unknown = Reflect.get(value, "prototype");
  return typeof prototype === "object" && prototype !== null && Reflect.ownKeys(prototype).length > 1;
}

function markOf(value: unknown): "rule" | "hook" | undefined {
  const mark = readMember(value, definitionMark);
  return mark === "rule" || mark === "hook" ? mark : undefined;
}

function readText(value: unknown, key: string): string | undefined {
  const text = typeof value === "object" ? readMember(value, key) : undefined;
  return typeof text === "string" ? text.slice(0, maxTextLength) : undefined;
}
