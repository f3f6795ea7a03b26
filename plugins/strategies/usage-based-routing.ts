/** Whoever used the fewest tokens in this minute. */

import { z } from "zod";
import type { Strategy, StrategyFactory } from "../../sdk/strategy.ts";
import { readArguments } from "./arguments.ts";
import { hasRoom } from "./has-room.ts";
import { lowest, pickAny } from "./pick.ts";

const parameters = {
  // Minutes of the clock are what is counted, whatever it says.
  ttl: z.number().positive().optional().describe("a number of seconds above 0"),
};

function create(name: string): StrategyFactory {
  return {
    name,
    summary: "the one that used the fewest tokens in this minute, of those within their tpm and rpm",
    create(args): Strategy {
      readArguments(name, parameters, args);
      return {
        choose(candidates, request) {
          const roomy = candidates.filter((candidate) => hasRoom(candidate, request));
          return pickAny(
            lowest(roomy, ({ state }) => state.tokens),
            request.random,
          );
        },
      };
    },
  };
}

export const usageBasedRoutingV2: StrategyFactory = create("usage-based-routing-v2");

/** The old name; there is no other way of doing it here. */
export const usageBasedRouting: StrategyFactory = create("usage-based-routing");
