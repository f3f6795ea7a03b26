/** Matches on the model the client asked for. */

import { z } from "zod";
import type { Rule, RuleFactory } from "../../sdk/rule.ts";
import { readArguments } from "./arguments.ts";

const PARAMETERS = { model_name: z.string().describe("a part of the model name") };

export const matchModelRule: RuleFactory = {
  name: "MatchModelRule",
  summary: "the requested model contains a text (case matters)",
  create(args): Rule {
    const { model_name: part } = readArguments("MatchModelRule", PARAMETERS, args).values;
    return { evaluate: ({ facts }) => facts.model !== "" && facts.model.includes(part) };
  },
};
