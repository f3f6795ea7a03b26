/** The body of one upstream response: single consumer, filled by the socket only as fast as it is read. */

/** What the queue needs of its source. */
export interface Flow {
  pause(): void;
  resume(): void;
  abort(reason: Error): void;
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
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    if (!this.#paused && (this.#bytes >= highWaterBytes || this.#chunks.length >= highWaterChunks)) {
      this.#paused = true;
      this.#flow.pause();
    }
  }

  end(): void {
    if (this.#state.type !== "open") return;
    this.#state = { type: "ended" };
    this.#waiting?.resolve({ done: true, value: undefined });
    this.#waiting = undefined;
  }

  /** What was received before the failure is still delivered first. */
  fail(error: Error): void {
    if (this.#state.type !== "open") return;
    this.#state = { type: "failed", error };
    this.#waiting?.reject(error);
    this.#waiting = undefined;
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
      this.#paused = false;
      this.#flow.resume();
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
