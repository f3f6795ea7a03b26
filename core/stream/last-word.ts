/** What a reply says at last, told to whoever has to know before its caller does. */

import type { ReplySummary, ReplyWatch } from "../../sdk/dialect.ts";
import type { Awaitable } from "../../sdk/routing-store.ts";

interface Sent {
  readonly firstByteAt: number | undefined;
  /** Of the body. */
  readonly bytes: number;
}

export interface ReplyEnd extends Sent {
  /** Undefined for a reply that is not watched. */
  readonly summary: ReplySummary | undefined;
}

/** Told once of a reply that came to its end; the last bytes go out when it has returned. It never fails. */
export type BeforeEnd = (end: ReplyEnd) => Awaitable<void>;

export interface LastWordOptions {
  readonly watch: ReplyWatch | undefined;
  readonly beforeEnd?: BeforeEnd | undefined;
}

export class LastWord {
  readonly #options: LastWordOptions;
  readonly #isEventStream: boolean;
  #summary: ReplySummary | undefined;
  #isTold = false;

  constructor(options: LastWordOptions, isEventStream: boolean) {
    this.#options = options;
    this.#isEventStream = isEventStream;
  }

  /** Call once the last byte was seen, or is about to be sent. */
  summary(): ReplySummary | undefined {
    return (this.#summary ??= this.#options.watch?.end());
  }

  /** After the watch has seen a chunk, and before it is sent. */
  mayBeOver(sent: Sent): Promise<void> | undefined {
    const { watch, beforeEnd } = this.#options;
    if (beforeEnd === undefined || this.#isTold || !this.#isEventStream || watch?.isOver?.() !== true) return undefined;
    return this.#tell(sent);
  }

  /** The reply is over, be it whole or not. */
  atEnd(sent: Sent): Promise<void> | undefined {
    const { watch, beforeEnd } = this.#options;
    if (beforeEnd === undefined || this.#isTold) return undefined;
    // A stream that ends before its answer is complete is no end to be told of.
    if (watch !== undefined && this.#isEventStream && this.summary()?.complete !== true) return undefined;
    return this.#tell(sent);
  }

  #tell(sent: Sent): Promise<void> | undefined {
    this.#isTold = true;
    const told = this.#options.beforeEnd?.({ ...sent, summary: this.summary() });
    return told instanceof Promise ? told : undefined;
  }
}
