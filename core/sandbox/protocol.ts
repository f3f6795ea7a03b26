/**
 * What the proxy and a hook host say to each other. Plain data only: every message is one frame, a JSON header
 * and, where parts of a body travel along, their bytes behind it. Nothing that comes from a host is trusted.
 */

import type { Json } from "../../sdk/body.ts";
import type { Grants, HookPhase, TargetInfo } from "../../sdk/context.ts";
import type { Patch } from "../body/patch-format.ts";
import type { CallFacts } from "./late-facts.ts";

export type Phase = "rule" | HookPhase;

/** One compiled user file, or one export of it, as a rule or hook. */
export interface UnitCode {
  /** Index within the program, counted from 0. */
  readonly unit: number;
  readonly kind: "rule" | "hook" | "callback";
  /** For messages and stacks, e.g. `hooks/redact.ts`. */
  readonly file: string;
  /** Script that leaves the module's exports in the global `__exports`. */
  readonly code: string;
  /** `default` or the name of an export. */
  readonly exportName: string;
  readonly params: { readonly positional: readonly Json[]; readonly named: { readonly [key: string]: Json } };
  /** Granted variables. */
  readonly env: Readonly<Record<string, string>>;
  readonly grants: GrantNames;
  /** Key of `context.pseudonym`, 64 hexadecimal digits; derived, of no use elsewhere. */
  readonly pseudonymKey: string;
}

/** Which members of the context work; the rest throws an error that says how to grant it. User code reads them as `context.grants`. */
export type GrantNames = Grants;

/** proxy → host */
export type ToHost =
  | { readonly type: "load"; readonly id: number; readonly version: number; readonly units: readonly UnitCode[]; readonly runtime: string }
  | { readonly type: "unload"; readonly version: number }
  | ({ readonly type: "call"; readonly id: number } & CallMessage)
  /** Results of operations; the run goes on. */
  | { readonly type: "resume"; readonly id: number; readonly results: readonly OperationResult[] }
  /** Fires the signal of a run that waits for operations. It may still end with a result; `force` drops it, and has no answer. */
  | { readonly type: "abort"; readonly id: number; readonly reason: string; readonly force: boolean }
  | ({ readonly type: "events"; readonly id: number } & EventsMessage)
  | { readonly type: "end-stream"; readonly stream: string };

/**
 * host → proxy; `id` is that of the message answered, in `resume` and `abort` that of the call. Answers come in the
 * order of the messages, exactly one to each `load`, `call`, `resume`, `events`, and `abort` without `force`: what the
 * proxy waits for longest is what the host is at work on, and what it is killed for.
 */
export type FromHost =
  /** Modules are there, `load` may come. */
  | { readonly type: "ready"; readonly pid: number }
  | { readonly type: "loaded"; readonly id: number; readonly units: readonly UnitManifest[] }
  /** Written before the second and each later unit of a message begins, so that a kill finds the culprit. */
  | { readonly type: "progress"; readonly id: number; readonly unit: number }
  | { readonly type: "done"; readonly id: number; readonly outcomes: readonly UnitOutcome[] }
  /** User code read parts that are not there; the same call is wanted again, with them. No parts: its isolate was lost while it waited. */
  | { readonly type: "need"; readonly id: number; readonly unit: number; readonly parts: readonly PartName[] }
  /** The answer to an `abort` that did not end the run. */
  | { readonly type: "aborted"; readonly id: number }
  /** The run waits for these; none when it goes on waiting for what it asked for before. */
  | { readonly type: "operations"; readonly id: number; readonly unit: number; readonly operations: readonly Operation[] }
  | { readonly type: "events-done"; readonly id: number; readonly streams: readonly StreamOutcome[] };

/** What a file turned out to be, once it was run. */
export interface UnitManifest {
  readonly unit: number;
  /** Undefined when it loaded. */
  readonly error: ErrorInfo | undefined;
  /** Made with `defineRule` or `defineHook`; what autoloading asks for. */
  readonly defined: "rule" | "hook" | undefined;
  readonly label: string | undefined;
  readonly summary: string | undefined;
  /** `["rule"]` for a rule; the phases a hook or callback has. */
  readonly phases: readonly Phase[];
  readonly required: boolean;
  readonly buffer: boolean;
  /** Undefined: every type. */
  readonly events: readonly string[] | undefined;
}

export interface ErrorInfo {
  readonly name: string;
  /** At most 4,000 characters, like the stack. */
  readonly message: string;
  /** With positions in the compiled script; see `core/user-code/source-map.ts`. */
  readonly stack: string;
}

/** `[field, -1]`: the value of a top-level field. `[field, index]`: one element of an array field. `[fact, -2]`: a late fact. */
export type PartName = readonly [field: string, index: number];

/** What is the same for all units of a call. */
export interface CallContext {
  readonly requestId: string;
  readonly operation: "generate" | "count_tokens";
  readonly facts: CallFacts;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly label?: string;
  readonly target?: TargetInfo;
  readonly now: number;
}

export interface UnitStores {
  readonly state: { readonly [key: string]: Json };
  readonly locals: { readonly [key: string]: Json };
}

export interface CallMessage {
  readonly version: number;
  readonly phase: Exclude<Phase, "onEvent">;
  /** In this order, until one decides or, in preCall, preUpstream and postCall, changes something. */
  readonly units: readonly number[];
  readonly context: CallContext;
  /** By unit; absent ones are empty. */
  readonly stores: { readonly [unit: number]: UnitStores };
  /** Longest uninterrupted run of one unit, ms; what the size of the body adds is in it. */
  readonly sliceMs: number;
  /** Of the request body, in rule, preCall and preUpstream: its keys in order, and the length of those that are arrays. */
  readonly shape?: RequestShape;
  /** Parts whose bytes follow the header, in this order. */
  readonly parts: readonly (readonly [field: string, index: number, bytes: number])[];
  /** JSON text of the reply (postCall), error (onError) or completion (onComplete). */
  readonly subject?: string;
}

export interface RequestShape {
  readonly keys: readonly string[];
  /** Number of elements of `messages` and `tools`, where these are arrays. */
  readonly lengths: { readonly [field: string]: number };
}

export interface UnitOutcome {
  readonly unit: number;
  /** µs within the isolate. */
  readonly us: number;
  readonly error?: ErrorInfo & { readonly kind: "threw" | "timeout" | "memory" | "invalid" | "deadlock" };
  /** onEvent: which events of the batch it changed, dropped or put others beside; their places in it, from 0. */
  readonly changed?: readonly number[];
  /** Rules. */
  readonly verdict?: boolean | string;
  readonly decision?: WireDecision;
  readonly patch?: Patch;
  readonly headers?: readonly (readonly [name: string, value: string | null])[];
  readonly writes?: Writes;
}

export type WireDecision =
  | { readonly kind: "respond"; readonly reply: string | { readonly content: readonly Json[]; readonly stop_reason?: string } }
  | { readonly kind: "deny"; readonly status: number; readonly message: string };

/** Side effects that take effect with the outcome that carries them. */
export interface Writes {
  /** `null` deletes. */
  readonly state?: { readonly [key: string]: Json | null };
  readonly locals?: { readonly [key: string]: Json | null };
  readonly annotations?: { readonly [key: string]: Json };
  readonly logs?: readonly { readonly level: "debug" | "info" | "warn" | "error"; readonly text: string }[];
  readonly kv?: readonly KvWrite[];
}

export type KvWrite =
  | { readonly op: "set"; readonly key: string; readonly value: Json }
  | { readonly op: "delete"; readonly key: string }
  | { readonly op: "append"; readonly key: string; readonly line: Json };

/** Asked of the proxy by a run; `seq` counts from 0 within the run of one unit and is the same in a repeated run. */
export type Operation = { readonly seq: number } & (
  | {
      readonly op: "fetch";
      readonly url: string;
      readonly method: string;
      readonly headers: Readonly<Record<string, string>>;
      readonly body: string | null;
    }
  | { readonly op: "callModel"; readonly request: Json }
  | { readonly op: "kv.get"; readonly key: string }
  | { readonly op: "kv.lines"; readonly key: string; readonly last: number }
);

/**
 * The value of each operation: fetch `{ status, headers, body }` (a {@link FetchValue}), callModel the whole reply,
 * kv.get `[value]` or, where there is none, `[]`, kv.lines the lines.
 */
export type OperationResult =
  | { readonly seq: number; readonly ok: true; readonly value: Json }
  | { readonly seq: number; readonly ok: false; readonly message: string };

export interface FetchValue {
  readonly status: number;
  /** Names in lower case; values of a repeated one joined by a comma. */
  readonly headers: { readonly [name: string]: string };
  readonly body: string;
}

/** Events of several streams, gathered in one turn of the loop. */
export interface EventsMessage {
  readonly version: number;
  readonly sliceMs: number;
  readonly streams: readonly StreamBatch[];
}

export interface StreamBatch {
  /** Unique per exchange. */
  readonly stream: string;
  readonly units: readonly number[];
  /** With the first batch that this host gets of the stream; takes the place of what it knew of it before. */
  readonly open?: { readonly context: CallContext; readonly stores: { readonly [unit: number]: UnitStores } };
  /** JSON texts. */
  readonly events: readonly string[];
}

export interface StreamOutcome {
  readonly stream: string;
  /** One for each event that was sent: 0 it goes on as it is; else the JSON texts that take its place. */
  readonly events: readonly (0 | readonly string[])[];
  /** One for each unit, in order; a unit that failed changed nothing in this batch. */
  readonly units: readonly {
    readonly unit: number;
    readonly us: number;
    /** Which events of the batch it changed, dropped or put others beside; their places in it, from 0. */
    readonly changed?: readonly number[];
    readonly error?: UnitOutcome["error"];
    readonly writes?: Writes;
  }[];
}
