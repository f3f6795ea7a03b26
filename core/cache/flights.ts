/** Requests that ask the same at the same time: one of them asks, the others wait for what it gets. */

/** Undefined: nothing came of it that others could use. */
export type Landing<Value> = Value | undefined;

export interface Flight<Value> {
  /** Only the first call counts. */
  land(value: Landing<Value>): void;
}

/** How one that waits ended. */
export type Waited<Value> =
  | { readonly type: "landed"; readonly value: Value }
  /** The first one failed, or its reply is not to be kept: this one is the first now. */
  | { readonly type: "first"; readonly flight: Flight<Value> };

interface Waiting<Value> {
  readonly take: (landing: Landing<Value>) => void;
}

export class Flights<Value> {
  readonly #waiting = new Map<string, Waiting<Value>[]>();

  /** How many are first. */
  get size(): number {
    return this.#waiting.size;
  }

  /** The flight of the first one; undefined where another one is under way. */
  begin(key: string): Flight<Value> | undefined {
    if (this.#waiting.has(key)) return undefined;
    this.#waiting.set(key, []);
    let isOver = false;
    return {
      land: (value) => {
        if (isOver) return;
        isOver = true;
        this.#land(key, value);
      },
    };
  }

  /**
   * Waits for the one that is under way, or becomes it.
   *
   * @throws the reason of the signal
   */
  async join(key: string, signal: AbortSignal): Promise<Waited<Value>> {
    for (;;) {
      signal.throwIfAborted();
      const flight = this.begin(key);
      if (flight !== undefined) return { type: "first", flight };
      const value = await this.#wait(key, signal);
      if (value !== undefined) return { type: "landed", value };
    }
  }

  #wait(key: string, signal: AbortSignal): Promise<Landing<Value>> {
    const waiting = this.#waiting.get(key);
    return new Promise((resolve, reject) => {
      const own: Waiting<Value> = {
        take(landing) {
          signal.removeEventListener("abort", leave);
          resolve(landing);
        },
      };
      const leave = (): void => {
        waiting?.splice(waiting.indexOf(own), 1);
        reject(signal.reason instanceof Error ? signal.reason : new Error("aborted"));
      };
      waiting?.push(own);
      signal.addEventListener("abort", leave, { once: true });
    });
  }

  /** Where nothing came of it, only one of those that waited becomes the next first; the others wait for that one. */
  #land(key: string, value: Landing<Value>): void {
    const waiting = this.#waiting.get(key) ?? [];
    this.#waiting.delete(key);
    for (const { take } of waiting) take(value);
  }
}
