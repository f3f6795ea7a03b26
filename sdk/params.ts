/** Parameters of rules and hooks: says what is wrong with them in words, gives them a type, fills in what was left out. */

/** What one parameter may be. Immutable; each method gives a new one. */
export interface Param<Value> {
  /** @throws Error that names the parameter, what was found and what was wanted */
  read(raw: unknown, name: string): Value;
  /** May be left out; then it is this value. */
  default(value: Value): Param<Value>;
  /** May be left out; then it is undefined. */
  optional(): Param<Value | undefined>;
}

/** Parameters by name, in the order in which they are taken when a list gives them. */
export type ParamShape<Params> = { readonly [Name in keyof Params]: Param<Params[Name]> };
/** Called once, when the file is loaded; what it throws is a finding at the entry. @param raw a mapping as an object, a list as an array */
export type ReadParams<Params> = (raw: unknown) => Params;
/** What parameters there are, as a shape made with `param`, or as a function that reads them. */
export type ParamDefinition<Params> = ParamShape<Params> | ReadParams<Params>;
/** What a shape reads: `ParamsOf<{ max: Param<number> }>` is `{ readonly max: number }`. */
export type ParamsOf<Shape> = { readonly [Name in keyof Shape]: Shape[Name] extends Param<infer Value> ? Value : never };

/** The reader of a definition's parameters; undefined where it has none of its own. */
export function readerOf<Params>(definition: ParamDefinition<Params> | undefined): ReadParams<Params> | undefined {
  return typeof definition === "object" ? paramReader(definition) : definition;
}

/**
 * Makes the function that reads parameters of this shape: by name, or by position in the order of the shape.
 *
 * @throws Error from the function it returns, for an unknown name, a missing value, or one of the wrong kind
 */
function paramReader<Params>(fields: ParamShape<Params>): (raw: unknown) => Params;
function paramReader(fields: Readonly<Record<string, Param<unknown>>>): (raw: unknown) => unknown {
  const names = Object.keys(fields);
  const known = names.length === 0 ? "it takes none" : `known: ${names.join(", ")}`;
  return (raw) => {
    const given = isAbsent(raw) ? {} : Array.isArray(raw) ? byPosition(raw, names) : raw;
    if (!isMapping(given)) throw new Error(`params is ${describe(raw)}; wanted a mapping (${known}).`);
    const unknown = Object.keys(given).find((name) => !names.includes(name));
    if (unknown !== undefined) throw new Error(`params.${unknown} is not known; ${known}.`);
    return Object.fromEntries(Object.entries(fields).map(([name, field]) => [name, field.read(own(given, name), `params.${name}`)]));
  };
}

interface Range {
  readonly min?: number;
  readonly max?: number;
}

interface ParamKinds {
  /** Some text; `""` is none. */
  text(): Param<string>;
  number(range?: Range): Param<number>;
  /** A whole number. */
  integer(range?: Range): Param<number>;
  flag(): Param<boolean>;
  /** One of these words. */
  choice<const Choice extends string>(...choices: readonly Choice[]): Param<Choice>;
  /** A list; a single value stands for a list of one. */
  list<Item>(item: Param<Item>): Param<readonly Item[]>;
  /** A mapping with any names. */
  map<Item>(item: Param<Item>): Param<Readonly<Record<string, Item>>>;
  /** Anything that `read` makes a value of. It may throw, or give undefined: then the message says what was `wanted`, e.g. "a time". */
  custom<Value>(wanted: string, read: (raw: unknown) => Value | undefined): Param<Value>;
}

/**
 * The kinds of parameters there are.
 *
 * @example
 * ```ts
 * export default defineHook({
 *   params: { max: param.integer({ min: 1 }).default(8192), models: param.list(param.text()).default([]) },
 *   preCall(request, context) {
 *     request.max_tokens = context.params.max; // a number
 *   },
 * });
 * ```
 */
export const param: ParamKinds = {
  text: () => simple("a text", (raw) => (typeof raw === "string" && raw !== "" ? raw : undefined)),
  number: (range) => simple(`a number${describeRange(range)}`, (raw) => inRange(raw, range)),
  integer: (range) => simple(`a whole number${describeRange(range)}`, (raw) => (Number.isInteger(raw) ? inRange(raw, range) : undefined)),
  flag: () => simple("true or false", (raw) => (typeof raw === "boolean" ? raw : undefined)),
  choice: (...choices) => simple(`one of ${choices.join(", ")}`, (raw) => choices.find((choice) => choice === raw)),
  list: (item) =>
    make((raw, name) => {
      if (isAbsent(raw)) return fail(raw, name, "a list");
      const items: readonly unknown[] = Array.isArray(raw) ? raw : [raw];
      return items.map((each, index) => item.read(each, `${name}[${index}]`));
    }),
  map: (item) =>
    make((raw, name) => {
      if (!isMapping(raw)) return fail(raw, name, "a mapping");
      return Object.fromEntries(Object.entries(raw).map(([key, value]) => [key, item.read(value, `${name}.${key}`)]));
    }),
  custom: (wanted, read) =>
    make((raw, name) => {
      let value;
      try {
        value = isAbsent(raw) ? undefined : read(raw);
      } catch (error) {
        throw new Error(`${name}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
      }
      return value ?? fail(raw, name, wanted);
    }),
};

function simple<Value>(wanted: string, pick: (raw: unknown) => Value | undefined): Param<Value> {
  return make((raw, name) => pick(raw) ?? fail(raw, name, wanted));
}

function make<Value>(read: (raw: unknown, name: string) => Value): Param<Value> {
  return {
    read,
    default: (value) => make((raw, name) => (isAbsent(raw) ? value : read(raw, name))),
    optional: () => make<Value | undefined>((raw, name) => (isAbsent(raw) ? undefined : read(raw, name))),
  };
}

function isAbsent(raw: unknown): raw is undefined | null {
  return raw === undefined || raw === null;
}

function fail(raw: unknown, name: string, wanted: string): never {
  throw new Error(
    raw === undefined || raw === null ? `${name} is missing; wanted ${wanted}.` : `${name} is ${describe(raw)}; wanted ${wanted}.`,
  );
}

/** Values of parameters may be shown: credentials have no place in them. Long ones are cut. */
function describe(raw: unknown): string {
  if (Array.isArray(raw)) return "a list";
  if (isMapping(raw)) return "a mapping";
  if (typeof raw === "string") return raw.length > 40 ? `"${raw.slice(0, 40)}…"` : `"${raw}"`;
  return String(raw);
}

function describeRange({ min, max }: Range = {}): string {
  if (min !== undefined && max !== undefined) return ` from ${min} to ${max}`;
  if (min !== undefined) return ` of ${min} or more`;
  return max === undefined ? "" : ` of ${max} or less`;
}

function inRange(raw: unknown, { min = -Infinity, max = Infinity }: Range = {}): number | undefined {
  return typeof raw === "number" && raw >= min && raw <= max ? raw : undefined;
}

function byPosition(raw: readonly unknown[], names: readonly string[]): Readonly<Record<string, unknown>> {
  if (raw.length > names.length) throw new Error(`params has ${raw.length} values; wanted at most ${names.length} (${names.join(", ")}).`);
  return Object.fromEntries(raw.map((value, index) => [names[index], value]));
}

function own(mapping: Readonly<Record<string, unknown>>, name: string): unknown {
  return Object.hasOwn(mapping, name) ? mapping[name] : undefined;
}

function isMapping(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
