/** The body of one upstream response: single consumer, filled by the socket only as fast as it is read. */

/** What the queue needs of its source. */
export interface Flow {
  pause(): void;
  resume(): void;
  abort(reason: Error): void;
}

/** Takes one chunk; a promise asks for no further one until it resolves. */
export type Take = (chunk: Uint8Array) => Promise<void> | undefined;

/** Told once, in the turn in which it happens: the end of the body, or why there will be none. */
export type Finish = (error?: unknown) => void;

interface Taker {
  readonly take: Take;
  readonly finish: Finish;
  busy: boolean;
}

/** Beyond either the socket is paused until the consumer has caught up; tiny chunks cost far more than their bytes. */
const highWaterBytes = 32 * 1024;
const highWaterChunks = 512;

/**
 * A Node Readable would cost several times as much per chunk, and an unread chunk here is at most one
 * socket read beyond {@link highWaterBytes}, so a slow client holds little memory.
 */
export class ByteQueue implements AsyncIterableIterator<Uint8Array> {
  readonly #flow: Flow;
  #chunks: Uint8Array[] = [];
  #bytes = 0;
  #paused = false;
  #state: { readonly type: "open" } | { readonly type: "ended" } | { readonly type: "failed"; readonly error: Error } = { type: "open" };
  #waiting: { resolve: (result: IteratorResult<Uint8Array>) => void; reject: (error: Error) => void } | undefined;
  #taker: Taker | undefined;

  constructor(flow: Flow) {
    this.#flow = flow;
  }

  push(chunk: Uint8Array): void {
    const waiting = this.#waiting;
    if (waiting !== undefined) {
      this.#waiting = undefined;
      waiting.resolve({ done: false, value: chunk });
      return;
    }
    if (this.#state.type !== "open") return;
    const taker = this.#taker;
    if (taker !== undefined && !taker.busy && this.#chunks.length === 0) {
      this.#give(taker, chunk);
      return;
    }
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    if (this.#bytes >= highWaterBytes || this.#chunks.length >= highWaterChunks) this.#pause();
  }

  end(): void {
    if (this.#state.type !== "open") return;
    this.#state = { type: "ended" };
    this.#waiting?.resolve({ done: true, value: undefined });
    this.#waiting = undefined;
    this.#deliver();
  }

  /** What was received before the failure is still delivered first. */
  fail(error: Error): void {
    if (this.#state.type !== "open") return;
    this.#state = { type: "failed", error };
    this.#waiting?.reject(error);
    this.#waiting = undefined;
    this.#deliver();
  }

  /**
   * Hands over every chunk, and the end, in the turn in which it comes: a promise for each would be most of the
   * cost of a stream, and would part the end from the last bytes. A failing `take` ends the taking.
   */
  forEach(take: Take, finish: Finish): void {
    this.#taker = { take, finish, busy: false };
    this.#deliver();
  }

  #deliver(): void {
    const taker = this.#taker;
    if (taker === undefined) return;
    while (!taker.busy) {
      const chunk = this.#chunks.shift();
      if (chunk === undefined) break;
      this.#bytes -= chunk.length;
      this.#give(taker, chunk);
    }
    if (taker.busy || this.#taker !== taker) return;
    if (this.#state.type === "open") {
      this.#resume();
      return;
    }
    this.#taker = undefined;
    taker.finish(this.#state.type === "failed" ? this.#state.error : undefined);
  }

  #give(taker: Taker, chunk: Uint8Array): void {
    let wait: Promise<void> | undefined;
    try {
      wait = taker.take(chunk);
    } catch (error) {
      this.#stop(taker, error);
      return;
    }
    if (wait === undefined) return;
    taker.busy = true;
    this.#pause();
    void this.#goOnAfter(wait, taker);
  }

  async #goOnAfter(wait: Promise<void>, taker: Taker): Promise<void> {
    try {
      await wait;
    } catch (error) {
      this.#stop(taker, error);
      return;
    }
    taker.busy = false;
    this.#deliver();
  }

  #stop(taker: Taker, error: unknown): void {
    // For whoever is in the middle of handing over.
    taker.busy = true;
    this.#taker = undefined;
    taker.finish(error);
  }

  #pause(): void {
    if (this.#paused || this.#state.type !== "open") return;
    this.#paused = true;
    this.#flow.pause();
  }

  #resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#flow.resume();
  }

  /**
   * Ends the taking, from within `take` too, but not the body: another reader may go on.
   * @param chunks are handed over again, before all others
   */
  giveBack(chunks: readonly Uint8Array[]): void {
    if (this.#taker !== undefined) {
      // For whoever is in the middle of handing over.
      this.#taker.busy = true;
      this.#taker = undefined;
    }
    this.#chunks.unshift(...chunks);
    for (const chunk of chunks) this.#bytes += chunk.length;
  }

  /** Everything received and not yet read, without waiting. */
  takeBuffered(): readonly Uint8Array[] {
    const chunks = this.#chunks;
    this.#chunks = [];
    this.#bytes = 0;
    return chunks;
  }

  /** Bytes received and not yet read. */
  get bufferedBytes(): number {
    return this.#bytes;
  }

  next(): Promise<IteratorResult<Uint8Array>> {
    const chunk = this.#chunks.shift();
    if (chunk !== undefined) {
      this.#bytes -= chunk.length;
      return Promise.resolve({ done: false, value: chunk });
    }
    if (this.#state.type === "ended") return Promise.resolve({ done: true, value: undefined });
    if (this.#state.type === "failed") return Promise.reject(this.#state.error);
    if (this.#paused) {
      this.#resume();
      // Resuming may have delivered or ended synchronously.
      return this.next();
    }
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
    });
  }

  /** The consumer is done early: the source is aborted. */
  return(): Promise<IteratorResult<Uint8Array>> {
    if (this.#state.type === "open") {
      this.#state = { type: "ended" };
      this.#flow.abort(new Error("the reader stopped before the end"));
    }
    this.#chunks = [];
    this.#bytes = 0;
    return Promise.resolve({ done: true, value: undefined });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}
