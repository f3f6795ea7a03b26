/** What one process remembers of its deployments, in its own memory: nothing waits, nothing outlives the process. */

import {
  type AttemptEnd,
  type Cooldown,
  type DeploymentState,
  type RoutingStore,
  type Sample,
  maxSamples,
  unusedState,
} from "../../sdk/routing-store.ts";
import { MemorySessions } from "./memory-sessions.ts";

export interface MemoryStoreInit {
  /** Monotonic ms. */
  readonly now: () => number;
  /** ms since 1970, for the minutes that limits are about. */
  readonly wallClock: () => number;
  /** How many sessions are remembered, those that were bound last. Default: 100,000, some 20 MB. */
  readonly maxSessions?: number;
}

/** Nothing of it has to be waited for; it says how much it holds. */
export interface MemoryRoutingStore extends RoutingStore {
  read(ids: readonly string[]): readonly DeploymentState[];
  begin(id: string): void;
  end(id: string, end: AttemptEnd): void;
  fail(id: string, windowMs: number): number;
  forgive(id: string): void;
  cool(key: string, cooldown: Cooldown): void;
  warm(key: string): void;
  cooldowns(keys: readonly string[]): readonly (Cooldown | undefined)[];
  bound(session: string): string | undefined;
  bind(session: string, id: string, ttlMs: number): void;
  readonly size: { readonly deployments: number; readonly counters: number; readonly cooldowns: number; readonly sessions: number };
}

interface Numbers {
  inFlight: number;
  /** The one that the next four are of. */
  minute: number;
  requests: number;
  tokens: number;
  successes: number;
  failures: number;
  readonly latencies: Measured[];
  readonly firstContents: Measured[];
  touchedAt: number;
}

interface Measured {
  readonly seconds: number;
  readonly at: number;
}

interface Expiring<Value> {
  readonly value: Value;
  readonly until: number;
}

const minuteMs = 60_000;
/** What nobody has touched for a day is of no use any more; most likely it is no longer configured. */
const keptMs = 24 * 60 * minuteMs;
const usualSessions = 100_000;

/** Times come from the given clocks only; there are no timers, so nothing needs to be closed. */
export function createMemoryRoutingStore({ now, wallClock, maxSessions = usualSessions }: MemoryStoreInit): MemoryRoutingStore {
  const deployments = new Map<string, Numbers>();
  const counters = new Map<string, Expiring<number>>();
  const cooled = new Map<string, Expiring<Cooldown>>();
  const sessions = new MemorySessions(maxSessions);
  let sweptAt = now();

  /** Once a minute, by whoever comes first. */
  function sweep(time: number): void {
    if (time - sweptAt < minuteMs) return;
    sweptAt = time;
    for (const [id, { inFlight, touchedAt }] of deployments) if (inFlight === 0 && time - touchedAt >= keptMs) deployments.delete(id);
    for (const map of [counters, cooled]) for (const [key, { until }] of map) if (until <= time) map.delete(key);
  }

  function numbersOf(id: string, time: number): Numbers {
    const minute = Math.floor(wallClock() / minuteMs);
    const known = deployments.get(id);
    if (known === undefined) {
      const made: Numbers = { ...unusedState, minute, latencies: [], firstContents: [], touchedAt: time };
      deployments.set(id, made);
      return made;
    }
    known.touchedAt = time;
    if (known.minute !== minute) {
      known.minute = minute;
      known.requests = known.tokens = known.successes = known.failures = 0;
    }
    return known;
  }

  function stateOf(id: string, minute: number, time: number): DeploymentState {
    const numbers = deployments.get(id);
    if (numbers === undefined) return unusedState;
    const { inFlight, requests, tokens, successes, failures } =
      numbers.minute === minute ? numbers : { ...unusedState, inFlight: numbers.inFlight };
    const latencies = samplesOf(numbers.latencies, time);
    return { inFlight, requests, tokens, successes, failures, latencies, firstContents: samplesOf(numbers.firstContents, time) };
  }

  return {
    read(ids) {
      const minute = Math.floor(wallClock() / minuteMs);
      const time = now();
      return ids.map((id) => stateOf(id, minute, time));
    },

    begin(id) {
      const time = now();
      sweep(time);
      const numbers = numbersOf(id, time);
      numbers.inFlight++;
      numbers.requests++;
    },

    end(id, { outcome, tokens, latency, firstContent }: AttemptEnd) {
      if ((deployments.get(id)?.inFlight ?? 0) === 0) return;
      const time = now();
      const numbers = numbersOf(id, time);
      numbers.inFlight--;
      numbers.tokens += tokens;
      if (outcome === "success") numbers.successes++;
      if (outcome === "failure") numbers.failures++;
      keep(numbers.latencies, latency, time);
      keep(numbers.firstContents, firstContent, time);
    },

    fail(id, windowMs) {
      const time = now();
      sweep(time);
      const known = counters.get(id);
      const isOver = known === undefined || known.until <= time;
      const value = isOver ? 1 : known.value + 1;
      counters.set(id, { value, until: isOver ? time + windowMs : known.until });
      return value;
    },

    forgive(id) {
      counters.delete(id);
    },

    cool(key, cooldown) {
      const time = now();
      sweep(time);
      const until = time + cooldown.ms;
      // Written so that a NaN is none, too.
      if (!(until > Math.max(time, cooled.get(key)?.until ?? 0))) return;
      cooled.set(key, { value: cooldown, until });
    },

    warm(key) {
      cooled.delete(key);
    },

    cooldowns(keys) {
      // Mostly there are none.
      if (cooled.size === 0) return keys.map(() => undefined);
      const time = now();
      return keys.map((key) => {
        const known = cooled.get(key);
        return known === undefined || known.until <= time ? undefined : { ...known.value, ms: known.until - time };
      });
    },

    bound: (session) => sessions.get(session, now()),

    bind(session, id, ttlMs) {
      const time = now();
      sessions.set(session, id, time + ttlMs, time);
    },

    async close() {
      for (const map of [deployments, counters, cooled, sessions]) map.clear();
    },

    get size() {
      return { deployments: deployments.size, counters: counters.size, cooldowns: cooled.size, sessions: sessions.size };
    },
  };
}

function samplesOf(measured: readonly Measured[], time: number): readonly Sample[] {
  return measured.length === 0 ? unusedState.latencies : measured.map(({ seconds, at }) => ({ seconds, ageMs: time - at }));
}

function keep(samples: Measured[], seconds: number | undefined, at: number): void {
  if (seconds === undefined) return;
  samples.push({ seconds, at });
  if (samples.length > maxSamples) samples.shift();
}
