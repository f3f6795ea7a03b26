/**
 * Names of keys. All of a namespace have the same hash tag, `{namespace}`, so that on a cluster they are in one slot and a script may touch several
 * of them, also those it finds out about only while it runs. The braces keep namespaces apart, too: none is the beginning of another one.
 */

import { RedisError } from "./errors.ts";

/** What a key is about. */
export type Topic =
  | "cache"
  | "counter"
  | "slots"
  | "held"
  | "numbers"
  | "inflight"
  | "latencies"
  | "firsts"
  | "failures"
  | "cooldown"
  | "session";

export interface Names {
  of(topic: Topic, name: string): string;
  /** A pattern for SCAN that matches the keys of the topic, and no others. */
  patternOf(topic: Topic): string;
}

/** @throws RedisError for a namespace that would not be one hash tag */
export function createNames(namespace: string): Names {
  if (!/^[^{}]+$/.test(namespace)) throw new RedisError("the namespace of Redis must not be empty, nor have { or } in it");
  const prefix = `{${namespace}}`;
  return {
    of: (topic, name) => `${prefix}:${topic}:${name}`,
    patternOf: (topic) => `${prefix.replaceAll(/[*?[\]\\^-]/g, String.raw`\$&`)}:${topic}:*`,
  };
}
