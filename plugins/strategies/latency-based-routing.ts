/** Whoever answered fastest lately. */

import { z } from "zod";
import { type Sample, maxSamples } from "../../sdk/routing-store.ts";
import type { Candidate, Strategy, StrategyFactory, StrategyRequest } from "../../sdk/strategy.ts";
import { readArguments } from "./arguments.ts";
import { hasRoom } from "./has-room.ts";
import { pickAny } from "./pick.ts";

const parameters = {
  ttl: z.number().positive().default(3600).describe("a number of seconds above 0"),
  lowest_latency_buffer: z.number().nonnegative().default(0).describe("a number, 0 or more: a part of the lowest latency"),
  max_latency_list_size: z.int().positive().default(maxSamples).describe("a whole number, 1 or more"),
  ttft_percentile: z.number().positive().max(1).nullish().describe("a number above 0, at most 1"),
};

export const latencyBasedRouting: StrategyFactory = {
  name: "latency-based-routing",
  summary: "the one that answered fastest lately: to the first content where the request streams, else a token; unused ones first",
  create(args): Strategy {
    const {
      ttl,
      lowest_latency_buffer: buffer,
      max_latency_list_size: size,
      ttft_percentile: percentile,
    } = readArguments("latency-based-routing", parameters, args);
    const recent = (samples: readonly Sample[]): readonly number[] =>
      samples
        .filter(({ ageMs }) => ageMs < ttl * 1000)
        .slice(-size)
        .map(({ seconds }) => seconds);
    const latencyOf = ({ state }: Candidate, { stream }: StrategyRequest): number => {
      const firsts = stream ? recent(state.firstContents) : [];
      if (firsts.length === 0) return mean(recent(state.latencies));
      return percentile == null ? mean(firsts) : atPercentile(firsts, percentile);
    };
    return {
      choose(candidates, request) {
        const timed = candidates
          .filter((candidate) => hasRoom(candidate, request))
          .map((candidate) => ({ candidate, latency: latencyOf(candidate, request) }));
        const most = Math.min(...timed.map(({ latency }) => latency)) * (1 + buffer);
        const fast = timed.filter(({ latency }) => latency <= most).map(({ candidate }) => candidate);
        return pickAny(fast, request.random);
      },
    };
  },
};

/** 0 for none: nobody is faster than who has not been asked. */
function mean(seconds: readonly number[]): number {
  return seconds.length === 0 ? 0 : seconds.reduce((sum, each) => sum + each, 0) / seconds.length;
}

/** The smallest that so large a part of them does not exceed. */
function atPercentile(seconds: readonly number[], part: number): number {
  return seconds.toSorted((one, other) => one - other)[Math.ceil(seconds.length * part) - 1] ?? 0;
}
