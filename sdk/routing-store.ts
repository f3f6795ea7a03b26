/**
 * What is remembered of deployments between requests: how busy, how fast, how often they failed, which are out of use, and
 * which one a session is bound to. One contract for a single process and for many instances that share a server.
 *
 * Times are durations in ms, never dates, so that a clock that jumps moves nothing. Methods of an implementation that needs
 * no I/O return values, not promises.
 */

export type Awaitable<Value> = Value | Promise<Value>;

/** Numbers of one deployment; those of one nobody has used are all 0 and empty. */
export interface DeploymentState {
  /** Attempts that have begun and not ended. */
  readonly inFlight: number;
  /** Begun in the current minute (of the clock, UTC). */
  readonly requests: number;
  /** Input and output, of attempts that ended in the current minute. */
  readonly tokens: number;
  /** Ended in the current minute. */
  readonly successes: number;
  readonly failures: number;
  /** Seconds per output token, of whole replies; newest last, as many as `maxSamples`. */
  readonly latencies: readonly Sample[];
  /** Seconds to the first content, of streams; likewise. */
  readonly firstContents: readonly Sample[];
}

/** How long something took, and how long ago that was. */
export interface Sample {
  readonly seconds: number;
  readonly ageMs: number;
}

/** How an attempt ended. */
export interface AttemptEnd {
  /** `none`: nothing that would speak for or against the deployment, as when the client left. */
  readonly outcome: "success" | "failure" | "none";
  /** Input and output; 0 where unknown. */
  readonly tokens: number;
  readonly latency: number | undefined;
  readonly firstContent: number | undefined;
}

/** Why, and for how much longer, something is out of use. */
export interface Cooldown {
  /** What is left, when read; all of it, when set. */
  readonly ms: number;
  /** For people: `429`, `3 failures in a row`, … Never holds a secret. */
  readonly reason: string;
  /** Of the failure that caused it; undefined where no answer came. */
  readonly status: number | undefined;
}

export interface RoutingStore {
  /** In the order of the ids, in one round trip. */
  read(ids: readonly string[]): Awaitable<readonly DeploymentState[]>;
  /** An attempt begins. */
  begin(id: string): Awaitable<void>;
  /** Exactly once for each `begin`. */
  end(id: string, end: AttemptEnd): Awaitable<void>;
  /** Counts a failure. @returns how many there were since the first one, which is forgotten `windowMs` after it happened; this one included */
  fail(id: string, windowMs: number): Awaitable<number>;
  /** Forgets counted failures. */
  forgive(id: string): Awaitable<void>;
  /** Takes a deployment, or all that is behind one key, out of use. The longer of two cooldowns counts. */
  cool(key: string, cooldown: Cooldown): Awaitable<void>;
  /** Back into use. */
  warm(key: string): Awaitable<void>;
  /** In the order of the keys; undefined for what is in use. */
  cooldowns(keys: readonly string[]): Awaitable<readonly (Cooldown | undefined)[]>;
  /** The deployment a session is bound to. Reading does not prolong it. */
  bound(session: string): Awaitable<string | undefined>;
  bind(session: string, id: string, ttlMs: number): Awaitable<void>;
  close(): Promise<void>;
}

/** Samples that are kept of each kind. */
export const maxSamples = 10;

/** Of a deployment that nobody has used. */
export const unusedState: DeploymentState = {
  inFlight: 0,
  requests: 0,
  tokens: 0,
  successes: 0,
  failures: 0,
  latencies: [],
  firstContents: [],
};
