/** Matches on what part of an agent a request comes from. */

import { z } from "zod";
import type { Rule, RuleFactory } from "../../sdk/rule.ts";
import { oneOrMore, readArguments } from "./arguments.ts";

const CLASSES = ["main", "subagent", "auxiliary", "compaction"] as const;

const PARAMETERS = { class: oneOrMore(z.enum(CLASSES)).describe(`one of ${CLASSES.join(", ")}, or a list of these`) };

export const requestClassRule: RuleFactory = {
  name: "RequestClassRule",
  summary: "the request is of a class: main, subagent, auxiliary or compaction",
  create(args): Rule {
    const { class: classes } = readArguments("RequestClassRule", PARAMETERS, args).values;
    return { evaluate: ({ facts }) => classes.some((wanted) => wanted === facts.requestClass) };
  },
};
