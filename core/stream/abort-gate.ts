/** Many waits, one after the other, that all end when one signal fires: a listener for each would cost more than the wait. */

export class AbortGate {
  readonly #signal: AbortSignal;
  #reject: ((reason: unknown) => void) | undefined;
  readonly #onAbort = (): void => this.#reject?.(this.#signal.reason);

  constructor(signal: AbortSignal) {
    this.#signal = signal;
    signal.addEventListener("abort", this.#onAbort, { once: true });
  }

  /** One call at a time. Rejects with the signal's reason once it is aborted, whatever becomes of the promise. */
  wait<Value>(promise: Promise<Value>): Promise<Value> {
    return new Promise((resolve, reject) => {
      if (this.#signal.aborted) {
        promise.catch(() => undefined);
        reject(this.#signal.reason);
        return;
      }
      this.#reject = reject;
      promise.then(resolve, reject);
    });
  }

  close(): void {
    this.#reject = undefined;
    this.#signal.removeEventListener("abort", this.#onAbort);
  }
}
