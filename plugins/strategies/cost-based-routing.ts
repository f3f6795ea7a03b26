/** Whoever is cheapest. */

import type { Candidate, Strategy, StrategyFactory } from "../../sdk/strategy.ts";
import { readArguments } from "./arguments.ts";
import { hasRoom } from "./has-room.ts";
import { lowest, pickAny } from "./pick.ts";

/** LiteLLM's, USD a token: what nobody knows the price of comes last. */
const unknownPrice = 5;

export const costBasedRouting: StrategyFactory = {
  name: "cost-based-routing",
  summary: "the one with the lowest price of a token in and a token out, of those within their tpm and rpm",
  create(args): Strategy {
    readArguments("cost-based-routing", {}, args);
    return {
      choose(candidates, request) {
        const roomy = candidates.filter((candidate) => hasRoom(candidate, request));
        return pickAny(lowest(roomy, priceOf), request.random);
      },
    };
  },
};

function priceOf({ inputCost = unknownPrice, outputCost = unknownPrice }: Candidate): number {
  return inputCost + outputCost;
}
