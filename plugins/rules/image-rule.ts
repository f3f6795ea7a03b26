/** Matches requests that hold an image. */

import type { Rule, RuleFactory } from "../../sdk/rule.ts";
import { readArguments } from "./arguments.ts";

export const imageRule: RuleFactory = {
  name: "ImageRule",
  summary: "a message or a tool result holds an image",
  create(args): Rule {
    readArguments("ImageRule", {}, args);
    return { evaluate: ({ facts }) => facts.hasImage };
  },
};
