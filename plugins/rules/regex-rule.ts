/** Matches a pattern against values that a path selects from the body. */

import { setImmediate as nextTurn } from "node:timers/promises";
import { z } from "zod";
import type { RequestBody, Span } from "../../sdk/body.ts";
import { type Rule, RuleArgumentError, type RuleFactory } from "../../sdk/rule.ts";
import { oneOrMore, readArguments } from "./arguments.ts";
import { type JsonPath, parsePath, PathSyntaxError, selectSpans } from "./json-path.ts";
import { compilePattern } from "./pattern.ts";

const PARAMETERS = {
  path: oneOrMore(z.string().min(1)).describe('a path into the body, such as "messages[-1].content[*].text", or a list of paths'),
  pattern: z.string().describe("a pattern in RE2 syntax"),
  flags: z.string().default("").describe("any of the letters i, m, s"),
};

/** About 2 ms of matching (12 ms a megabyte), after which other requests get their turn. */
const BYTES_AT_A_TIME = 128 * 1024;

export const regexRule: RuleFactory = {
  name: "RegexRule",
  summary: "a pattern occurs in a value of the body",
  create(args): Rule {
    const { values, at } = readArguments("RegexRule", PARAMETERS, args);
    const paths = values.path.map((path) => readPath(path, at("path")));
    const compiled = compilePattern({ rule: "RegexRule", pattern: values.pattern, flags: values.flags, at });
    return {
      async evaluate({ body }) {
        let bytesDone = 0;
        for (const span of spansOf(body, paths)) {
          const text = comparable(body, span);
          if (text === undefined) continue;
          if (compiled.test(text)) return true;
          bytesDone += span.end - span.start;
          if (bytesDone < BYTES_AT_A_TIME) continue;
          bytesDone = 0;
          await nextTurn();
        }
        return false;
      },
    };
  },
};

function readPath(path: string, at: (string | number)[]): JsonPath {
  try {
    return parsePath(path);
  } catch (error) {
    if (error instanceof PathSyntaxError) throw new RuleArgumentError(`RegexRule: ${error.message}`, at);
    throw error;
  }
}

function* spansOf(body: RequestBody, paths: readonly JsonPath[]): Generator<Span> {
  for (const path of paths) yield* selectSpans(body, path);
}

/** Strings as they are, numbers and booleans as their JSON; objects, arrays and null have no text. */
function comparable(body: RequestBody, span: Span): string | undefined {
  const first = String.fromCharCode(body.bytes[span.start] ?? 0);
  if (first === "{" || first === "[" || first === "n") return undefined;
  if (first !== '"') return new TextDecoder().decode(body.slice(span));
  const value = body.read(span);
  return typeof value === "string" ? value : undefined;
}
