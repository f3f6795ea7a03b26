/** Why a request went where it went: one list of steps per exchange, read by headers, log, demo and status. */

export interface TraceStep {
  readonly stage: string;
  /** What happened, a few words. */
  readonly what: string;
  readonly detail: Readonly<Record<string, unknown>> | undefined;
  /** µs since the exchange began. */
  readonly us: number;
}

export class Trace {
  readonly steps: TraceStep[] = [];
  readonly #startedAt: number;
  readonly #now: () => number;

  constructor(startedAt: number, now: () => number) {
    this.#startedAt = startedAt;
    this.#now = now;
  }

  add(stage: string, what: string, detail?: Readonly<Record<string, unknown>>): void {
    this.steps.push({ stage, what, detail, us: Math.round((this.#now() - this.#startedAt) * 1000) });
  }
}

/** The traces of the last exchanges, by request id; the oldest is forgotten first. */
export class TraceRing {
  readonly #traces = new Map<string, Trace>();
  readonly #capacity: number;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  keep(requestId: string, trace: Trace): void {
    this.#traces.set(requestId, trace);
    if (this.#traces.size > this.#capacity) {
      const oldest = this.#traces.keys().next();
      if (!oldest.done) this.#traces.delete(oldest.value);
    }
  }

  get(requestId: string): Trace | undefined {
    return this.#traces.get(requestId);
  }
}
