/** What many processes know of their deployments together, in a Redis server. */

import { randomUUID } from "node:crypto";

import { type Cooldown, type DeploymentState, type RoutingStore, type Sample, maxSamples } from "../../sdk/routing-store.ts";
import { type WallClock, clockArgument, durationText, wholeText } from "./clock.ts";
import type { Connection } from "./connection.ts";
import type { Names } from "./names.ts";
import { beginAttempt, endAttempt, readDeployments } from "./scripts/deployments.ts";
import { bindSession, boundSession, coolDown, countFailure, readCooldowns } from "./scripts/marks.ts";

type Told = readonly [
  inFlight: string,
  requests: string,
  tokens: string,
  successes: string,
  failures: string,
  latencies: readonly string[],
  firstContents: readonly string[],
];

export function createRoutingStore(connection: Connection, names: Names, wallClock: WallClock): RoutingStore {
  /** Whose attempts are under way: they are forgotten when this process is. */
  const owner = randomUUID();
  const clock = (): string => clockArgument(wallClock);
  const keysOf = (id: string): readonly [string, string, string, string] => [
    names.of("numbers", id),
    names.of("inflight", id),
    names.of("latencies", id),
    names.of("firsts", id),
  ];

  return {
    async read(ids) {
      if (ids.length === 0) return [];
      const answer = await connection.run(readDeployments, ids.flatMap(keysOf), [clock()]);
      const [now, ...states] = answer as readonly [string, ...Told[]];
      return states.map((state) => toState(state, Number(now)));
    },
    async begin(id) {
      await connection.run(beginAttempt, keysOf(id).slice(0, 2), [clock(), owner]);
    },
    async end(id, { outcome, tokens, latency, firstContent }) {
      const seconds = [latency, firstContent].map((each) => (each === undefined ? "" : String(each)));
      await connection.run(endAttempt, keysOf(id), [clock(), owner, outcome, wholeText(tokens), maxSamples, ...seconds]);
    },
    async fail(id, windowMs) {
      return Number(await connection.run(countFailure, [names.of("failures", id)], [clock(), durationText(windowMs)]));
    },
    async forgive(id) {
      await connection.command(async (redis) => redis.del(names.of("failures", id)));
    },
    async cool(key, { ms, reason, status }) {
      // Written so that a NaN is none, too.
      if (!(ms > 0)) return;
      await connection.run(coolDown, [names.of("cooldown", key)], [clock(), durationText(ms), reason, status ?? ""]);
    },
    async warm(key) {
      await connection.command(async (redis) => redis.del(names.of("cooldown", key)));
    },
    async cooldowns(keys) {
      if (keys.length === 0) return [];
      const answer = await connection.run(
        readCooldowns,
        keys.map((key) => names.of("cooldown", key)),
        [clock()],
      );
      return (answer as readonly (readonly string[])[]).map(toCooldown);
    },
    async bound(session) {
      const id = await connection.run(boundSession, [names.of("session", session)], [clock()]);
      return typeof id === "string" ? id : undefined;
    },
    async bind(session, id, ttlMs) {
      await connection.run(bindSession, [names.of("session", session)], [clock(), durationText(ttlMs), id]);
    },
    close: async () => undefined,
  };
}

function toState([inFlight, requests, tokens, successes, failures, latencies, firstContents]: Told, now: number): DeploymentState {
  return {
    inFlight: Number(inFlight),
    requests: Number(requests),
    tokens: Number(tokens),
    successes: Number(successes),
    failures: Number(failures),
    latencies: toSamples(latencies, now),
    firstContents: toSamples(firstContents, now),
  };
}

/** Of `<seconds>:<ms since 1970>`. */
function toSamples(told: readonly string[], now: number): readonly Sample[] {
  return told.map((sample) => {
    const [seconds, at] = sample.split(":");
    return { seconds: Number(seconds), ageMs: now - Number(at) };
  });
}

function toCooldown([left, reason, status]: readonly string[]): Cooldown | undefined {
  if (left === undefined) return undefined;
  return { ms: Number(left), reason: reason ?? "", status: status === "" || status === undefined ? undefined : Number(status) };
}
