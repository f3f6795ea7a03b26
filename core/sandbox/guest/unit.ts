/** A unit as the runtime knows it, once its file was run and its export understood. */

import type { Context } from "../../../sdk/context.ts";
import type { Phase, UnitManifest } from "../protocol.ts";
import type { UnitBase } from "./recorder.ts";

/** Gets what the phase is about, and the context. May return a promise. */
export type Handler = (subject: unknown, context: Context) => unknown;
/** Gets each event of one stream, in order. */
export type EventHandler = (event: object) => unknown;
/** A method with its receiver. */
export type Method = (...values: readonly unknown[]) => unknown;

/** The methods of a rule, a hook or a callback, as phases. */
export interface Methods {
  readonly handlers: ReadonlyMap<Phase, Handler>;
  readonly openStream: ((context: Context) => EventHandler) | undefined;
  /** The only types of events that are wanted. */
  readonly events: readonly string[] | undefined;
}

/** A unit, ready to be called. */
export interface LoadedUnit extends Methods {
  readonly base: UnitBase;
  readonly manifest: UnitManifest;
}

/** A member of anything; undefined of what has none. */
export function readMember(value: unknown, key: PropertyKey): unknown {
  if ((typeof value !== "object" && typeof value !== "function") || value === null) return undefined;
  const member: unknown = Reflect.get(value, key);
  return member;
}

export function isThenable(value: unknown): boolean {
  return typeof readMember(value, "then") === "function";
}
