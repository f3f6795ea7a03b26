/** A tiny `expect`: the few comparisons that tests of rules and hooks need, with messages that show both sides. */

export interface Expectation {
  /** The very same value; NaN is the same as NaN. */
  toBe(wanted: unknown): void;
  /** The same JSON: objects and lists are compared by content, members that are undefined count as absent. */
  toEqual(wanted: unknown): void;
  /** A text that holds a text, or a list that holds a value (compared as `toEqual` does). */
  toContain(wanted: unknown): void;
  toMatch(pattern: RegExp): void;
  /**
   * For a function: that it throws, and what the message holds. One that returns a promise has to be awaited:
   * `await expect(() => runRule(rule, request)).toThrow("threshold")`.
   */
  toThrow(message?: string | RegExp): void | Promise<void>;
  readonly not: Expectation;
}

/**
 * @example
 * expect(request.model).toBe("claude-haiku-5-5");
 * expect(logs).not.toContain("secret");
 */
export function expect(actual: unknown): Expectation {
  return make(actual, false);
}

function make(actual: unknown, negated: boolean): Expectation {
  const check = (passed: boolean, relation: string, wanted: unknown): void => {
    if (passed === negated) throw new ExpectationError(`expected ${show(actual)} ${negated ? "not " : ""}${relation} ${show(wanted)}`);
  };
  return {
    toBe: (wanted) => check(Object.is(actual, wanted), "to be", wanted),
    toEqual: (wanted) => check(equal(actual, wanted), "to equal", wanted),
    toContain: (wanted) => check(contains(actual, wanted), "to contain", wanted),
    toMatch: (pattern) => check(typeof actual === "string" && matches(actual, pattern), "to match", pattern),
    toThrow: (message) => {
      const judge = (thrown: { readonly error: unknown } | undefined): void => {
        const said = thrown === undefined ? "nothing was thrown" : `it threw ${show(messageOf(thrown.error))}`;
        const fits = thrown !== undefined && (message === undefined || matches(messageOf(thrown.error), message));
        const wanted = message === undefined ? "" : ` ${show(message)}`;
        if (fits === negated) throw new ExpectationError(`expected the function ${negated ? "not " : ""}to throw${wanted}; ${said}`);
      };
      return thrownBy(actual, judge);
    },
    get not() {
      return make(actual, !negated);
    },
  };
}

class ExpectationError extends Error {
  override readonly name = "ExpectationError";
}

function thrownBy(action: unknown, judge: (thrown: { readonly error: unknown } | undefined) => void): void | Promise<void> {
  if (typeof action !== "function") throw new ExpectationError(`expected a function to call, got ${show(action)}`);
  let returned: unknown;
  try {
    returned = Reflect.apply(action, undefined, []);
  } catch (error) {
    judge({ error });
    return undefined;
  }
  if (!(returned instanceof Promise)) {
    judge(undefined);
    return undefined;
  }
  return returned.then(
    () => judge(undefined),
    (error: unknown) => judge({ error }),
  );
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function matches(text: string, pattern: string | RegExp): boolean {
  // `search` leaves `lastIndex` alone.
  return typeof pattern === "string" ? text.includes(pattern) : text.search(pattern) >= 0;
}

function contains(holder: unknown, wanted: unknown): boolean {
  if (typeof holder === "string") return typeof wanted === "string" && holder.includes(wanted);
  return Array.isArray(holder) && holder.some((item) => equal(item, wanted));
}

function equal(left: unknown, right: unknown): boolean {
  if (Object.is(left, right)) return true;
  if (typeof left !== "object" || typeof right !== "object" || left === null || right === null) return false;
  if (Array.isArray(left) !== Array.isArray(right)) return false;
  if (Array.isArray(left) && Array.isArray(right) && left.length !== right.length) return false;
  const [some, others] = [entriesOf(left), new Map(entriesOf(right))];
  return some.length === others.size && some.every(([key, value]) => others.has(key) && equal(value, others.get(key)));
}

function entriesOf(value: object): [string, unknown][] {
  return Object.entries(value).filter(([, member]) => member !== undefined);
}

const longestShown = 2000;

function show(value: unknown): string {
  if (typeof value === "string" || (typeof value === "object" && value !== null && !(value instanceof RegExp))) {
    const text = JSON.stringify(value, undefined, typeof value === "string" ? undefined : 2);
    return text.length > longestShown ? `${text.slice(0, longestShown)}…` : text;
  }
  return typeof value === "function" ? "a function" : String(value);
}
