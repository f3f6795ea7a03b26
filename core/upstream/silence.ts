/**
 * Ends streams that say nothing but pings for too long. One timer looks at all of them a few times within the
 * shortest limit: setting a timer anew for every chunk would cost some sixty times as much as marking that one came.
 */

export interface Watched {
  /** Longest silence, ms. */
  readonly limitMs: number;
  /** Whether the reader holds the stream up: then nothing can come. */
  isPaused(): boolean;
  /** Called once, when it was silent for longer. */
  expire(): void;
}

export interface Watch {
  /** Whether something came since the last look: then nothing need be looked at. */
  readonly heard: boolean;
  hear(): void;
  stop(): void;
}

const longestTickMs = 500;
const looksPerLimit = 8;

export class SilenceWatch {
  readonly #watches = new Set<OneWatch>();
  #timer: NodeJS.Timeout | undefined;
  #tickMs = longestTickMs;

  /** Silence counts from now on. */
  add(watched: Watched): Watch {
    const watch = new OneWatch(watched, (done) => this.#remove(done));
    this.#watches.add(watch);
    const tickMs = Math.max(1, Math.min(longestTickMs, watched.limitMs / looksPerLimit));
    if (this.#timer === undefined || tickMs < this.#tickMs) this.#start(tickMs);
    return watch;
  }

  #start(tickMs: number): void {
    clearInterval(this.#timer);
    this.#tickMs = tickMs;
    this.#timer = setInterval(() => this.#look(), tickMs).unref();
  }

  /** Looks are counted, not the clock: a process that stood still has not listened either. */
  #look(): void {
    for (const watch of this.#watches) watch.pass(this.#tickMs);
  }

  #remove(watch: OneWatch): void {
    this.#watches.delete(watch);
    if (this.#watches.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}

class OneWatch implements Watch {
  readonly #watched: Watched;
  readonly #done: (watch: OneWatch) => void;
  #silentMs = 0;
  heard = false;

  constructor(watched: Watched, done: (watch: OneWatch) => void) {
    this.#watched = watched;
    this.#done = done;
  }

  hear(): void {
    this.heard = true;
  }

  pass(ms: number): void {
    if (this.heard || this.#watched.isPaused()) {
      this.heard = false;
      this.#silentMs = 0;
      return;
    }
    this.#silentMs += ms;
    if (this.#silentMs < this.#watched.limitMs) return;
    this.stop();
    this.#watched.expire();
  }

  stop(): void {
    this.#done(this);
  }
}

/** Of all streams of the process. */
export const silenceWatch: SilenceWatch = new SilenceWatch();
