/** Matches requests that speak of thinking. */

import { z } from "zod";
import type { Rule, RuleFactory } from "../../sdk/rule.ts";
import { oneOrMore, readArguments } from "./arguments.ts";

const EFFORTS = ["low", "medium", "high", "xhigh", "max"] as const;

const PARAMETERS = {
  types: oneOrMore(z.enum(["enabled", "adaptive", "disabled"]))
    .optional()
    .describe('"enabled", "adaptive", "disabled" or a list of these'),
  min_effort: z
    .enum(EFFORTS)
    .optional()
    .describe(`one of ${EFFORTS.join(", ")}`),
};

export const thinkingRule: RuleFactory = {
  name: "ThinkingRule",
  summary: "the request has a `thinking` field (of some types, from some effort up)",
  create(args): Rule {
    const { types, min_effort: minEffort } = readArguments("ThinkingRule", PARAMETERS, args).values;
    return {
      evaluate({ body, facts }) {
        // The original looks at the key alone: false, null and {type: disabled} match as well.
        if (body.field("thinking") === undefined) return false;
        if (types !== undefined && !types.some((type) => type === facts.thinking)) return false;
        return minEffort === undefined || isAtLeast(facts.effort, minEffort);
      },
    };
  },
};

function isAtLeast(effort: string | undefined, least: (typeof EFFORTS)[number]): boolean {
  const rank = EFFORTS.findIndex((known) => known === effort);
  return rank >= 0 && rank >= EFFORTS.indexOf(least);
}
