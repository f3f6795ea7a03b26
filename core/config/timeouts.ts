/** From the times that the configuration gives to those that are kept. */

import type { TimeoutKeys } from "./schema-routing.ts";
import { defaultTimeouts } from "./router-types.ts";
import type { Timeouts } from "./types.ts";

/** @param levels from the nearest to the farthest; of each key the first that says it counts */
export function readTimeouts(...levels: readonly Partial<TimeoutKeys>[]): Timeouts {
  const find = (key: keyof TimeoutKeys): number | undefined => levels.find((level) => level[key] !== undefined)?.[key];
  const said = (...keys: readonly (keyof TimeoutKeys)[]): number | undefined =>
    toMs(keys.map(find).find((seconds) => seconds !== undefined));
  return {
    connectMs: said("connect_timeout") ?? defaultTimeouts.connectMs,
    headersMs: said("headers_timeout", "stream_timeout", "timeout") ?? defaultTimeouts.headersMs,
    wholeMs: said("timeout") ?? defaultTimeouts.wholeMs,
    idleMs: said("idle_timeout") ?? defaultTimeouts.idleMs,
    silenceMs: said("silence_timeout") ?? defaultTimeouts.silenceMs,
    totalMs: said("total_timeout") ?? defaultTimeouts.totalMs,
  };
}

/** Never none of what was some. */
export function toMs(seconds: number): number;
export function toMs(seconds: number | undefined): number | undefined;
export function toMs(seconds: number | undefined): number | undefined {
  return seconds === undefined || seconds === 0 ? seconds : Math.max(1, Math.round(seconds * 1000));
}
