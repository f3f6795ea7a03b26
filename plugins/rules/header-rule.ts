/** Matches on a request header. */

import { z } from "zod";
import { type Rule, RuleArgumentError, type RuleFactory } from "../../sdk/rule.ts";
import { readArguments } from "./arguments.ts";
import { compilePattern, type Pattern } from "./pattern.ts";

const PARAMETERS = {
  header: z
    .string()
    .regex(/^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/)
    .describe("the name of a header"),
  value: z.string().optional().describe("the whole value of the header"),
  contains: z.string().min(1).optional().describe("a part of the value"),
  pattern: z.string().optional().describe("a pattern in RE2 syntax"),
};

/** Rules never see these, so a rule on one of them could only be a mistake. */
const HIDDEN = new Set(["authorization", "proxy-authorization", "x-api-key", "x-goog-api-key", "api-key", "cookie"]);

export const headerRule: RuleFactory = {
  name: "HeaderRule",
  summary: "a header is present, equals, contains or matches a text",
  create(args): Rule {
    const { values, at } = readArguments("HeaderRule", PARAMETERS, args);
    const { header, value, contains, pattern } = values;
    const name = header.toLowerCase();
    if (HIDDEN.has(name)) throw new RuleArgumentError(`HeaderRule: ${name} carries a credential, which rules do not see`, at("header"));
    const given = (["value", "contains", "pattern"] as const).filter((parameter) => values[parameter] !== undefined);
    if (given.length > 1) {
      throw new RuleArgumentError(`HeaderRule: ${given.join(" and ")} are given together; wanted one of them`, at(given[1] ?? "value"));
    }
    const test = valueTest(
      value,
      contains?.toLowerCase(),
      pattern === undefined ? undefined : compilePattern({ rule: "HeaderRule", pattern, at }),
    );
    return {
      evaluate({ headers }) {
        const found = headers.get(name);
        return found !== undefined && test(found);
      },
    };
  },
};

function valueTest(value: string | undefined, contains: string | undefined, pattern: Pattern | undefined): (found: string) => boolean {
  if (value !== undefined) return (found) => found === value;
  if (contains !== undefined) return (found) => found.toLowerCase().includes(contains);
  return (found) => pattern === undefined || pattern.test(found);
}
