/** Compiles user patterns on an engine whose time grows with the text only, never with the pattern's nesting. */

import { RE2JS } from "re2js";
import { RuleArgumentError } from "../../sdk/rule.ts";

const FLAGS: ReadonlyMap<string, number> = new Map([
  ["i", RE2JS.CASE_INSENSITIVE],
  ["m", RE2JS.MULTILINE],
  ["s", RE2JS.DOTALL],
]);

export interface Pattern {
  /** Whether the pattern occurs anywhere in the text. */
  test(text: string): boolean;
}

export interface PatternArguments {
  /** Name of the rule, for messages. */
  readonly rule: string;
  readonly pattern: string;
  /** Any of `i`, `m`, `s`, each at most once. */
  readonly flags?: string;
  /** Where these two arguments stand. */
  readonly at: (name: string) => (string | number)[];
}

/** @throws RuleArgumentError when the pattern is not RE2 syntax or a flag is unknown */
export function compilePattern({ rule, pattern, flags = "", at }: PatternArguments): Pattern {
  let bits = 0;
  for (const [position, letter] of flags.split("").entries()) {
    const bit = FLAGS.get(letter);
    if (bit === undefined || flags.indexOf(letter) !== position) {
      throw new RuleArgumentError(`${rule}: flags is "${flags}"; wanted any of i, m, s, each once`, at("flags"));
    }
    bits |= bit;
  }
  try {
    const compiled = RE2JS.compile(pattern, bits);
    return { test: (text) => compiled.test(text) };
  } catch (cause) {
    const problem = cause instanceof Error ? cause.message : String(cause);
    const hint = /\(\?<?[=!]|\\[1-9]/.test(pattern) ? " Lookaround and back-references are not part of RE2 syntax." : "";
    throw new RuleArgumentError(`${rule}: the pattern does not compile: ${problem}.${hint}`, at("pattern"));
  }
}
