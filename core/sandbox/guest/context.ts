/** The context that user code gets. */

import type { AbortSignalView, Context, FactValues, Grants, HeaderView, KeyValue, Store, TargetInfo } from "../../../sdk/context.ts";
import type { CallContext, Phase } from "../protocol.ts";
import { createPseudonym } from "./pseudonym.ts";
import type { Recorder } from "./recorder.ts";

export function createContext(recorder: Recorder): Context {
  return new RunContext(recorder);
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
    return this.#recorder.facts;
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
    return this.#recorder.facts.session;
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
Object.freeze(RunContext);
Object.freeze(RunContext.prototype);
