/**
 * Arguments of a function that come in pieces, each with the path of the value it belongs to. Only hosts that were asked
 * for it send them so: https://googleapis.github.io/js-genai/release_docs/interfaces/types.PartialArg.html.
 */

import type { Json } from "../../sdk/body.ts";
import type { JsonObject } from "../../sdk/events.ts";
import { text } from "../../sdk/hub/json.ts";
import { field, objects } from "./wire.ts";

type Growing = Map<string, Value> | Value[];
type Value = Growing | string | number | boolean | null;

/** The arguments of one call. */
export class PartialArgs {
  readonly #root: Growing = new Map<string, Value>();

  add(pieces: Json | undefined): void {
    for (const piece of objects(pieces)) {
      const steps = stepsOf(text(field(piece, "jsonPath")) ?? "");
      const value = valueOf(piece);
      if (steps.length > 0 && value !== undefined) set(this.#root, steps, value);
    }
  }

  value(): JsonObject {
    const value = plain(this.#root);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? Object.fromEntries(Object.entries(value)) : {};
  }
}

function valueOf(piece: JsonObject): string | number | boolean | null | undefined {
  const words = field(piece, "stringValue");
  if (typeof words === "string") return words;
  const figure = field(piece, "numberValue");
  if (typeof figure === "number") return figure;
  const truth = field(piece, "boolValue");
  if (typeof truth === "boolean") return truth;
  return field(piece, "nullValue") === undefined ? undefined : null;
}

const step = /\.(?<name>[^.[\]]+)|\[(?<index>\d{1,6})\]|\['(?<single>[^']*)'\]|\["(?<double>[^"]*)"\]/y;

/** `$.foo.bar[0].data`; empty for a path of another form. */
function stepsOf(path: string): readonly (string | number)[] {
  const steps: (string | number)[] = [];
  step.lastIndex = path.startsWith("$") ? 1 : 0;
  while (step.lastIndex < path.length) {
    const found = step.exec(path);
    if (found === null) return [];
    const { name, index, single, double } = found.groups ?? {};
    steps.push(index === undefined ? (name ?? single ?? double ?? "") : Number(index));
  }
  return steps;
}

function set(root: Growing, steps: readonly (string | number)[], value: string | number | boolean | null): void {
  let place = root;
  for (const [at, key] of steps.entries()) {
    const next = steps[at + 1];
    if (next === undefined) {
      const known = get(place, key);
      put(place, key, typeof known === "string" && typeof value === "string" ? known + value : value);
      return;
    }
    const known = get(place, key);
    const inner: Growing = known instanceof Map || Array.isArray(known) ? known : typeof next === "number" ? [] : new Map<string, Value>();
    put(place, key, inner);
    place = inner;
  }
}

function get(place: Growing, key: string | number): Value | undefined {
  if (place instanceof Map) return place.get(String(key));
  return typeof key === "number" ? place[key] : undefined;
}

function put(place: Growing, key: string | number, value: Value): void {
  if (place instanceof Map) place.set(String(key), value);
  else if (typeof key === "number" && key <= place.length) place[key] = value;
}

function plain(value: Value): Json {
  if (value instanceof Map) return Object.fromEntries(Array.from(value, ([key, inner]) => [key, plain(inner)]));
  return Array.isArray(value) ? value.map(plain) : value;
}
