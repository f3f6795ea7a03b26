/** The context that user code gets, and what is written down while it is used. */

import type { Json } from "../../../sdk/body.ts";
import type { AbortSignalView, Context, FactValues, Grants, HeaderView, KeyValue, Store, TargetInfo } from "../../../sdk/context.ts";
import type { CallContext, Phase } from "../protocol.ts";
import type { UnitInfo } from "./entry-format.ts";
import { SandboxError } from "./errors.ts";
import { createHeaders, type RecordingHeaders } from "./header-view.ts";
import { createLog, type Log } from "./log.ts";
import { createOperations, type Operations } from "./operations.ts";
import { createPseudonym } from "./pseudonym.ts";
import { createSignal, type Signal } from "./signal.ts";
import { createStore, type RecordingStore, toJson } from "./stores.ts";

const maxAnnotations = 32;
const maxAnnotationLength = 4096;

/** What is fixed when a unit is loaded. */
export interface UnitBase {
  readonly info: UnitInfo;
  /** Frozen. */
  readonly params: unknown;
  readonly env: Readonly<Record<string, string>>;
  readonly grants: Grants;
}

export interface ContextSource {
  readonly base: UnitBase;
  readonly phase: Phase;
  /** JSON of the {@link CallContext}. */
  readonly context: string;
  /** JSON of the {@link import("../protocol.ts").UnitStores}; may be empty. */
  readonly stores: string;
}

/** Everything a run records; its parts are made when they are first touched. */
export class Recorder {
  readonly source: ContextSource;
  readonly log: Log = createLog();
  readonly annotations: Map<string, string> = new Map();
  #call: CallContext | undefined;
  #headers: RecordingHeaders | undefined;
  #state: RecordingStore | undefined;
  #locals: RecordingStore | undefined;
  #stores: Readonly<Record<string, unknown>> | undefined;
  #operations: Operations | undefined;
  #signal: Signal | undefined;

  constructor(source: ContextSource) {
    this.source = source;
  }

  get call(): CallContext {
    return (this.#call ??= deepFreeze(JSON.parse(this.source.context) as CallContext));
  }

  get headers(): RecordingHeaders {
    const { phase } = this.source;
    return (this.#headers ??= createHeaders(this.call.headers, phase === "preCall" || phase === "preUpstream"));
  }

  get state(): RecordingStore {
    return (this.#state ??= this.#createStore("state"));
  }

  get locals(): RecordingStore {
    return (this.#locals ??= this.#createStore("locals"));
  }

  get operations(): Operations {
    const { base, phase } = this.source;
    const refusal =
      phase === "onEvent"
        ? "onEvent cannot wait for anything outside: the stream would stand still; ask in preCall and keep the answer in context.locals"
        : undefined;
    return (this.#operations ??= createOperations({ grants: base.info.grants, file: base.info.file, refusal }));
  }

  get signal(): Signal {
    return (this.#signal ??= createSignal());
  }

  annotate(key: unknown, value: unknown): void {
    const name = String(key).slice(0, 100);
    const text = toJson(value, `context.annotate(${JSON.stringify(name)})`);
    if (text.length > maxAnnotationLength)
      throw new SandboxError(
        `context.annotate(${JSON.stringify(name)}): ${text.length} characters of JSON; at most ${maxAnnotationLength} are kept`,
      );
    if (this.annotations.size >= maxAnnotations && !this.annotations.has(name))
      throw new SandboxError(`context.annotate: more than ${maxAnnotations} fields`);
    this.annotations.set(name, text);
  }

  /** Whether anything waits for the proxy. Does not make what was not touched. */
  get isWaiting(): boolean {
    return this.#operations !== undefined && this.#operations.waiting() > 0;
  }

  takeOperations(): string | undefined {
    return this.#operations?.takeAsked();
  }

  headerChanges(): string | undefined {
    return this.#headers?.changes();
  }

  /** JSON of the writes since the last time; undefined when there are none. @param failed nothing but what was said counts */
  takeWrites(failed: boolean): string | undefined {
    const members: string[] = [];
    const add = (name: string, text: string | undefined): void => {
      if (text !== undefined) members.push(`"${name}":${text}`);
    };
    const kept = failed ? undefined : this;
    add("state", kept === undefined ? undefined : kept.#state?.take());
    add("locals", kept === undefined ? undefined : kept.#locals?.take());
    add("kv", kept === undefined ? undefined : kept.#operations?.takeWrites());
    if (this.annotations.size > 0) {
      add("annotations", `{${[...this.annotations].map(([key, text]) => `${JSON.stringify(key)}:${text}`).join(",")}}`);
      this.annotations.clear();
    }
    add("logs", this.log.take());
    return members.length === 0 ? undefined : `{${members.join(",")}}`;
  }

  #createStore(name: "state" | "locals"): RecordingStore {
    if (this.source.stores === "") return createStore(name, "");
    this.#stores ??= JSON.parse(this.source.stores) as Record<string, unknown>;
    return createStore(name, JSON.stringify(this.#stores[name] ?? {}));
  }
}

/** Getters on a prototype: making one costs next to nothing, and most runs touch little of it. */
class RunContext implements Context {
  readonly #recorder: Recorder;

  constructor(recorder: Recorder) {
    this.#recorder = recorder;
  }

  get requestId(): string {
    return this.#recorder.call.requestId;
  }
  get phase(): Phase {
    return this.#recorder.source.phase;
  }
  get operation(): CallContext["operation"] {
    return this.#recorder.call.operation;
  }
  get params(): unknown {
    return this.#recorder.source.base.params;
  }
  get facts(): FactValues {
    return this.#recorder.call.facts;
  }
  get headers(): HeaderView {
    return this.#recorder.headers.view;
  }
  get label(): string | undefined {
    return this.#recorder.call.label;
  }
  get target(): TargetInfo | undefined {
    return this.#recorder.call.target;
  }
  get session(): string | undefined {
    return this.#recorder.call.facts.session;
  }
  get now(): number {
    return this.#recorder.call.now;
  }
  get state(): Store {
    return this.#recorder.state.view;
  }
  get locals(): Store {
    return this.#recorder.locals.view;
  }
  get signal(): AbortSignalView {
    return this.#recorder.signal.view;
  }
  get grants(): Grants {
    return this.#recorder.source.base.grants;
  }
  get env(): Readonly<Record<string, string>> {
    return this.#recorder.source.base.env;
  }
  get kv(): KeyValue {
    return this.#recorder.operations.kv;
  }
  // Bound, so that `const { log, fetch } = context` works.
  get log(): Context["log"] {
    return (...values) => this.#recorder.log.write("info", values);
  }
  get annotate(): Context["annotate"] {
    return (key, value) => this.#recorder.annotate(key, value);
  }
  get pseudonym(): Context["pseudonym"] {
    return createPseudonym(this.#recorder.source.base.info.pseudonymKey);
  }
  get fetch(): Context["fetch"] {
    return (url, options) => this.#recorder.operations.fetch(url, options);
  }
  get callModel(): Context["callModel"] {
    return (request) => this.#recorder.operations.callModel(request);
  }
}
Object.freeze(RunContext.prototype);

export function createContext(recorder: Recorder): Context {
  return new RunContext(recorder);
}

export function deepFreeze<Value>(value: Value): Value {
  if (typeof value !== "object" || value === null || Object.isFrozen(value)) return value;
  Object.freeze(value);
  for (const member of Object.values(value)) deepFreeze<Json>(member as Json);
  return value;
}
