/** Matches large requests. */

import { z } from "zod";
import type { RequestBody } from "../../sdk/body.ts";
import type { Rule, RuleFactory } from "../../sdk/rule.ts";
import { readArguments } from "./arguments.ts";

const PARAMETERS = {
  threshold: z.int().nonnegative().describe("a whole number of tokens, 0 or more"),
  count: z.enum(["all", "messages_text"]).default("all").describe('"all" or "messages_text"'),
};

/** Counts that a caller may send along; Claude Code does not. */
const STATED_COUNTS = ["token_count", "num_tokens", "input_tokens"];

export const tokenCountRule: RuleFactory = {
  name: "TokenCountRule",
  summary: "the request holds more tokens than a threshold",
  create(args): Rule {
    const { threshold, count } = readArguments("TokenCountRule", PARAMETERS, args).values;
    return {
      evaluate({ body, tokens }) {
        if (STATED_COUNTS.some((field) => statedCount(body, field) > threshold)) return true;
        return tokens.exceeds(threshold, count);
      },
    };
  },
};

function statedCount(body: RequestBody, field: string): number {
  if (body.field(field) === undefined) return 0;
  const value = body.value(field);
  return typeof value === "number" ? value : 0;
}
