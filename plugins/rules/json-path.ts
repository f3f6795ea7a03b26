/** A small path language over request bodies: `messages[-1].content[*].text`. Parses nothing but what it selects. */

import type { RequestBody, Span } from "../../sdk/body.ts";

type PathStep =
  | { readonly type: "member"; readonly name: string }
  /** Negative counts from the end. */
  | { readonly type: "index"; readonly index: number }
  /** Every element of an array, every value of an object. */
  | { readonly type: "every" };

export type JsonPath = readonly [{ readonly type: "member"; readonly name: string }, ...PathStep[]];

/** The path is not of the grammar; `position` counts characters from 1. */
export class PathSyntaxError extends Error {
  override readonly name = "PathSyntaxError";
  readonly position: number;
  constructor(path: string, position: number, wanted: string) {
    const found = path.slice(position, position + 12);
    super(`path "${path}", position ${position + 1}: found ${found === "" ? "the end" : `"${found}"`}, wanted ${wanted}`);
    this.position = position + 1;
  }
}

const NAME = /[A-Za-z_][\w-]*/y;
const INDEX = /\[(-?\d{1,9})\]/y;
const QUOTED = /\["((?:[^"\\]|\\.)*)"\]/y;
const EVERY = /\[\*\]/y;

/**
 * path = ["$"] member step*, member = name | ["text"], step = "." name | ["text"] | [integer] | [*]
 *
 * @throws PathSyntaxError with the position
 */
export function parsePath(path: string): JsonPath {
  let at = path.startsWith("$") ? 1 : 0;
  const take = (expression: RegExp): RegExpExecArray | null => {
    expression.lastIndex = at;
    const match = expression.exec(path);
    if (match !== null) at = expression.lastIndex;
    return match;
  };
  const member = (): Extract<PathStep, { type: "member" }> | undefined => {
    const start = at;
    const quoted = take(QUOTED);
    if (quoted !== null) return { type: "member", name: unquote(quoted[1] ?? "", path, start) };
    const dotted = path[at] === ".";
    if (dotted) at++;
    else if (at > 1 || path[at - 1] === "$") return undefined;
    const name = take(NAME);
    if (name !== null) return { type: "member", name: name[0] };
    throw new PathSyntaxError(path, at, dotted ? "a name after the dot" : "the name of a field of the body");
  };

  const first = member();
  if (first === undefined) throw new PathSyntaxError(path, at, 'a dot and the name of a field of the body, such as "$.messages"');
  const steps: PathStep[] = [];
  while (at < path.length) {
    const index = take(INDEX);
    if (index !== null) steps.push({ type: "index", index: Number(index[1]) });
    else if (take(EVERY) !== null) steps.push({ type: "every" });
    else {
      const next = path[at] === "." || path[at] === "[" ? member() : undefined;
      if (next === undefined) throw new PathSyntaxError(path, at, '".name", "[0]", "[-1]", "[*]" or "["name"]"');
      steps.push(next);
    }
  }
  return [first, ...steps];
}

/** The spans a path leads to, in order; none where something on the way is missing or of another kind. */
export function* selectSpans(body: RequestBody, path: JsonPath): Generator<Span> {
  const [first, ...steps] = path;
  const start = body.field(first.name);
  if (start !== undefined) yield* follow(body, start, steps, 0);
}

function* follow(body: RequestBody, from: Span, steps: readonly PathStep[], depth: number): Generator<Span> {
  const step = steps[depth];
  if (step === undefined) {
    yield from;
    return;
  }
  for (const next of stepInto(body, from, step)) yield* follow(body, next, steps, depth + 1);
}

function stepInto(body: RequestBody, from: Span, step: PathStep): Iterable<Span> {
  if (step.type === "every") return body.bytes[from.start] === OPEN_BRACE ? body.members(from).values() : body.elements(from);
  const found = step.type === "member" ? body.members(from).get(step.name) : body.elements(from).at(step.index);
  return found === undefined ? [] : [found];
}

const OPEN_BRACE = 0x7b;

function unquote(inner: string, path: string, start: number): string {
  try {
    return String(JSON.parse(`"${inner}"`));
  } catch {
    throw new PathSyntaxError(path, start, "a JSON string between the brackets");
  }
}
