/** How long a reply may be silent, or untaken, before something is done about it. */

export interface StreamTiming {
  /** Silence after which a stream is pinged. A client shows a stall after about 20 s; upstream pings may be 30 s apart. */
  readonly pingAfterMs: number;
  /** A caller that takes nothing for so long is cut off. */
  readonly stuckAfterMs: number;
  /** How long the rest of a refused body may go on flowing by. */
  readonly lingerMs: number;
}

export const streamTiming: StreamTiming = { pingAfterMs: 10_000, stuckAfterMs: 120_000, lingerMs: 5000 };
