/** By chance, in proportion to what the deployments are said to bear. */

import type { Candidate, Strategy, StrategyFactory } from "../../sdk/strategy.ts";
import { readArguments } from "./arguments.ts";
import { pickAny, pickWeighted } from "./pick.ts";

/** The first that any of them names a share by. */
const measures = ["weight", "rpm", "tpm"] as const;

export const simpleShuffle: StrategyFactory = {
  name: "simple-shuffle",
  summary: "at random, in proportion to weight, else rpm, else tpm",
  create(args): Strategy {
    readArguments("simple-shuffle", {}, args);
    return {
      usesState: false,
      choose(candidates, { random }): Candidate | undefined {
        for (const measure of measures) {
          // Who says nothing gets nothing where others do.
          const chosen = pickWeighted(candidates, (candidate) => candidate[measure] ?? 0, random);
          if (chosen !== undefined) return chosen;
        }
        return pickAny(candidates, random);
      },
    };
  },
};
