/** The contract of routing rules. */

import type { RequestBody } from "./body.ts";
import type { Facts, HeaderReader } from "./facts.ts";

export type TokenCountMode =
  /** Everything the model will read: system, tools, tool calls and results, thinking, images. */
  | "all"
  /** The text blocks of `messages` only, as the Python original counted. */
  | "messages_text";

/** Answers how many tokens a request holds. Counting is memoised per content block and runs in a worker. */
export interface TokenCounter {
  /** The count. A growing conversation costs only its new blocks. */
  count(mode?: TokenCountMode): Promise<number>;
  /** Whether the count is over a threshold; clear cases are answered from the size alone, without a tokenizer. */
  exceeds(threshold: number, mode?: TokenCountMode): boolean | Promise<boolean>;
}

/** What a rule looks at. */
export interface RuleRequest {
  readonly facts: Facts;
  readonly headers: HeaderReader;
  readonly body: RequestBody;
  readonly tokens: TokenCounter;
}

/** True: the rule's label applies. A string: that label applies. False, null, undefined: no match. */
export type RuleVerdict = boolean | string | null | undefined;

export interface Rule {
  evaluate(request: RuleRequest): RuleVerdict | Promise<RuleVerdict>;
}

/** Constructor arguments as the configuration gives them, in the original's forms. */
export interface RuleArguments {
  readonly positional: readonly unknown[];
  readonly named: Readonly<Record<string, unknown>>;
}

/** What is wrong with the arguments of a rule, and where: `path` leads into `named` or `positional`. */
export class RuleArgumentError extends Error {
  override readonly name = "RuleArgumentError";
  readonly path: readonly (string | number)[];
  constructor(message: string, path: readonly (string | number)[] = []) {
    super(message);
    this.path = path;
  }
}

/** A built-in rule, by its class name in the configuration (`ccproxy.rules.<name>`). */
export interface RuleFactory {
  readonly name: string;
  /** One line for `ccproxy check` and the docs. */
  readonly summary: string;
  /** @throws RuleArgumentError when the arguments do not fit. */
  create(args: RuleArguments): Rule;
}
