/** Why a request went where it went: one list of steps per exchange, read by headers, log, demo, status and explain. */

import type { RequestBody } from "../sdk/body.ts";

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
  /** The request as it came, where the configuration says `record: true`. */
  received: RequestBody | undefined;
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

/** Of recorded requests, in all. */
const maxReceivedBytes = 64 * 1024 * 1024;

/** The traces of the last exchanges, by request id; the oldest is forgotten first. */
export class TraceRing {
  readonly #traces = new Map<string, Trace>();
  readonly #capacity: number;
  #receivedBytes = 0;
  #last: string | undefined;
  /** ms since 1970. */
  readonly #endedAt = new Map<string, number>();

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** @param isMain whether somebody asking for the last request would mean this one */
  keep(requestId: string, trace: Trace, isMain: boolean = true): void {
    this.#traces.set(requestId, trace);
    this.#endedAt.set(requestId, Date.now());
    if (isMain) this.#last = requestId;
    this.#receivedBytes += trace.received?.bytes.length ?? 0;
    const oldest = this.#traces.entries().next();
    if (this.#traces.size > this.#capacity && oldest.done !== true) {
      this.#forgetReceived(oldest.value[1]);
      this.#traces.delete(oldest.value[0]);
      this.#endedAt.delete(oldest.value[0]);
    }
    for (const each of this.#traces.values()) {
      if (this.#receivedBytes <= maxReceivedBytes) break;
      this.#forgetReceived(each);
    }
  }

  /** ms since 1970; 0 for one that is not there. */
  endedAt(requestId: string): number {
    return this.#endedAt.get(requestId) ?? 0;
  }

  get(requestId: string): Trace | undefined {
    return this.#traces.get(requestId);
  }

  /** The id of the last request that was more than counting or another one's helper. */
  get last(): string | undefined {
    return this.#last;
  }

  #forgetReceived(trace: Trace): void {
    this.#receivedBytes -= trace.received?.bytes.length ?? 0;
    trace.received = undefined;
  }
}
