/** What is written down while a unit runs, and what it is told. */

import type { FactValues, Grants } from "../../../sdk/context.ts";
import type { LateFact } from "../late-facts.ts";
import type { CallContext, Phase } from "../protocol.ts";
import type { UnitInfo } from "./entry-format.ts";
import { SandboxError } from "./errors.ts";
import { type FactsSource, readFacts } from "./facts.ts";
import { createHeaders, type RecordingHeaders } from "./header-view.ts";
import { createLog, type Log } from "./log.ts";
import { createOperations, type Operations } from "./operations.ts";
import { createSignal, type Signal } from "./signal.ts";
import { checkKey, createStore, type RecordingStore, toJson } from "./stores.ts";

/** JSON of all of a call. */
const maxAnnotationsLength = 4096;

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
  /** Apart from the rest: it is what most rules look at, and parsing both would take twice as long. */
  readonly facts: FactsSource;
  /** Gives a fact that is not among them, or throws; undefined where all are. */
  readonly readLateFact: ((name: LateFact) => unknown) | undefined;
  /** JSON of the {@link CallContext} without the facts. */
  readonly rest: string;
  /** JSON of the {@link import("../protocol.ts").UnitStores}; may be empty. */
  readonly stores: string;
}

type RestOfContext = Omit<CallContext, "facts">;

/** Everything a run records; its parts are made when they are first touched. */
export class Recorder {
  // Plain fields: user code never holds a recorder, and private ones cost several times as much.
  readonly source: ContextSource;
  private madeLog: Log | undefined = undefined;
  private madeFacts: FactValues | undefined = undefined;
  private madeCall: RestOfContext | undefined = undefined;
  private madeHeaders: RecordingHeaders | undefined = undefined;
  private madeState: RecordingStore | undefined = undefined;
  private madeLocals: RecordingStore | undefined = undefined;
  private madeOperations: Operations | undefined = undefined;
  private madeSignal: Signal | undefined = undefined;
  private parsedStores: Readonly<Record<string, unknown>> | undefined = undefined;
  private madeAnnotations: Map<string, string> | undefined = undefined;

  constructor(source: ContextSource) {
    this.source = source;
  }

  get log(): Log {
    return (this.madeLog ??= createLog());
  }

  get facts(): FactValues {
    return (this.madeFacts ??= readFacts(this.source.facts, this.source.readLateFact));
  }

  get call(): RestOfContext {
    return (this.madeCall ??= JSON.parse(this.source.rest) as RestOfContext);
  }

  get headers(): RecordingHeaders {
    const { phase } = this.source;
    return (this.madeHeaders ??= createHeaders(this.call.headers, phase === "preCall" || phase === "preUpstream"));
  }

  get state(): RecordingStore {
    return (this.madeState ??= this.createStore("state"));
  }

  get locals(): RecordingStore {
    return (this.madeLocals ??= this.createStore("locals"));
  }

  get operations(): Operations {
    const { base, phase } = this.source;
    const refusal =
      phase === "onEvent"
        ? "onEvent cannot wait for anything outside: the stream would stand still; ask in preCall and keep the answer in context.locals"
        : undefined;
    return (this.madeOperations ??= createOperations({ grants: base.info.grants, file: base.info.file, refusal }));
  }

  private get annotations(): Map<string, string> {
    return (this.madeAnnotations ??= new Map());
  }

  get signal(): Signal {
    return (this.madeSignal ??= createSignal());
  }

  annotate(key: unknown, value: unknown): void {
    const name = checkKey(key, "context.annotate");
    const text = toJson(value, `context.annotate(${JSON.stringify(name)})`);
    const { annotations } = this;
    let length = name.length + text.length;
    for (const [other, kept] of annotations) if (other !== name) length += other.length + kept.length + 8;
    if (length > maxAnnotationsLength)
      throw new SandboxError(
        `context.annotate(${JSON.stringify(name)}): the fields of a call may take ${maxAnnotationsLength} characters of JSON in all`,
      );
    annotations.set(name, text);
  }

  /** Whether anything waits for the proxy. Does not make what was not touched. */
  get isWaiting(): boolean {
    return this.madeOperations !== undefined && this.madeOperations.waiting() > 0;
  }

  takeOperations(): string | undefined {
    return this.madeOperations?.takeAsked();
  }

  headerChanges(): string | undefined {
    return this.madeHeaders?.changes();
  }

  /** JSON of the writes since the last time; undefined when there are none. @param failed nothing but what was said counts */
  takeWrites(failed: boolean): string | undefined {
    let members = "";
    const add = (name: string, text: string | undefined): void => {
      if (text !== undefined) members += `${members === "" ? "" : ","}"${name}":${text}`;
    };
    if (!failed) {
      add("state", this.madeState?.take());
      add("locals", this.madeLocals?.take());
      add("kv", this.madeOperations?.takeWrites());
    }
    if (this.madeAnnotations !== undefined && this.madeAnnotations.size > 0) {
      if (!failed) add("annotations", `{${[...this.annotations].map(([key, text]) => `${JSON.stringify(key)}:${text}`).join(",")}}`);
      this.annotations.clear();
    }
    add("logs", this.madeLog?.take());
    return members === "" ? undefined : `{${members}}`;
  }

  private createStore(name: "state" | "locals"): RecordingStore {
    if (this.source.stores === "") return createStore(name, "");
    this.parsedStores ??= JSON.parse(this.source.stores) as Record<string, unknown>;
    return createStore(name, JSON.stringify(this.parsedStores[name] ?? {}));
  }
}
