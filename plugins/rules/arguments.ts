/** Turns a rule's arguments, positional or named, into checked values. */

import { closest, distance } from "fastest-levenshtein";
import { z } from "zod";
import { type RuleArguments, RuleArgumentError } from "../../sdk/rule.ts";

/** Parameters in positional order. The `describe()` of each says what is wanted, for messages. */
export type Parameters = Readonly<Record<string, z.ZodType>>;

export interface Arguments<Shape extends Parameters> {
  readonly values: z.infer<z.ZodObject<Shape>>;
  /** Where an argument stands in what was given, for errors found later. */
  readonly at: (name: string) => (string | number)[];
}

/**
 * @param rule       name of the rule, for messages
 * @param parameters name → schema; the order of the names is the positional order
 * @throws RuleArgumentError for an unknown, missing, repeated or unfit argument; its path leads to the argument
 */
export function readArguments<Shape extends Parameters>(rule: string, parameters: Shape, args: RuleArguments): Arguments<Shape> {
  const given = collect(rule, Object.keys(parameters), args);
  const at = (name: string): (string | number)[] => [given.get(name)?.path ?? name];
  const result = z.object(parameters).safeParse(Object.fromEntries([...given].map(([name, { value }]) => [name, value])));
  if (result.success) return { values: result.data, at };

  const [name = "", ...inside] = (result.error.issues[0]?.path ?? []).map((step) => (typeof step === "number" ? step : String(step)));
  const wanted = parameters[name]?.description ?? result.error.message;
  const argument = given.get(String(name));
  if (argument === undefined) throw new RuleArgumentError(`${rule}: ${name} is missing; wanted ${wanted}`, [name]);
  throw new RuleArgumentError(`${rule}: ${name} is ${shown(argument.value)}; wanted ${wanted}`, [argument.path, ...inside]);
}

/** One value or a non-empty list of them; always read as a list. */
export function oneOrMore<Item>(item: z.ZodType<Item>): z.ZodType<readonly Item[]> {
  return z.union([item.transform((value) => [value]), z.array(item).min(1)]);
}

interface Given {
  readonly value: unknown;
  /** Position, or the name again. */
  readonly path: string | number;
}

function collect(rule: string, names: readonly string[], args: RuleArguments): ReadonlyMap<string, Given> {
  const given = new Map<string, Given>();
  for (const [position, value] of args.positional.entries()) {
    const name = names[position];
    if (name === undefined)
      throw new RuleArgumentError(`${rule} takes ${counted(names)}, found ${args.positional.length} values`, [position]);
    given.set(name, { value, path: position });
  }
  for (const [name, value] of Object.entries(args.named)) {
    if (!names.includes(name)) throw new RuleArgumentError(unknownName(rule, name, names), [name]);
    if (given.has(name)) throw new RuleArgumentError(`${rule}: ${name} is given twice, by position and by name`, [name]);
    given.set(name, { value, path: name });
  }
  return given;
}

function counted(names: readonly string[]): string {
  if (names.length === 0) return "no parameters";
  return `${names.length === 1 ? "one parameter" : `${names.length} parameters`} (${names.join(", ")})`;
}

function unknownName(rule: string, name: string, names: readonly string[]): string {
  if (names.length === 0) return `${rule} takes no parameters, found "${name}"`;
  const nearest = closest(name, names);
  const hint = distance(name.toLowerCase(), nearest) <= Math.max(2, nearest.length / 3) ? ` Did you mean "${nearest}"?` : "";
  return `${rule} has no parameter "${name}"; it takes ${names.join(", ")}.${hint}`;
}

function shown(value: unknown): string {
  if (value === undefined || value === null) return "null";
  const text = JSON.stringify(value);
  const short = text.length > 60 ? `${text.slice(0, 57)}…` : text;
  if (typeof value === "string") return `the text ${short}`;
  return Array.isArray(value) ? `the list ${short}` : short;
}
