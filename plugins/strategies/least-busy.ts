/** Whoever has the fewest requests under way. */

import type { Strategy, StrategyFactory } from "../../sdk/strategy.ts";
import { readArguments } from "./arguments.ts";
import { lowest, pickAny } from "./pick.ts";

export const leastBusy: StrategyFactory = {
  name: "least-busy",
  summary: "the one with the fewest requests under way",
  create(args): Strategy {
    readArguments("least-busy", {}, args);
    return {
      choose: (candidates, { random }) =>
        pickAny(
          lowest(candidates, ({ state }) => state.inFlight),
          random,
        ),
    };
  },
};
