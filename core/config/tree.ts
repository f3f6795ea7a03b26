/** A configuration value together with where each part of it stands in its file. */

import type { Location } from "./types.ts";

/** Keys and indexes from the root. */
export type Path = readonly (string | number)[];

export interface Tree {
  readonly file: string;
  /** Plain JSON-like value. Parts may be shared where the file uses aliases. */
  readonly value: unknown;
  /** Where a part stands; of the nearest thing around it when it is absent. */
  locate(path: Path, part?: "key" | "value"): Location;
}

/** A place inside a tree. */
export interface Place {
  readonly tree: Tree;
  readonly path: Path;
  /** The key itself, for messages about the key. */
  readonly part?: "key" | "value";
}

export type Mapping = Readonly<Record<string, unknown>>;

export function isMapping(value: unknown): value is Mapping {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The value at a path; undefined when there is none. */
export function valueAt(value: unknown, path: Path): unknown {
  let current = value;
  for (const segment of path) {
    if (Array.isArray(current) && typeof segment === "number") current = current[segment];
    else if (isMapping(current) && Object.hasOwn(current, segment)) current = current[segment];
    else return undefined;
  }
  return current;
}

/** The place one or more steps further in. */
export function within(place: Place, ...path: Path): Place {
  return { tree: place.tree, path: [...place.path, ...path] };
}

/** The value at a place. */
export function valueOf(place: Place): unknown {
  return valueAt(place.tree.value, place.path);
}

/** The same place, meaning its key. */
export function keyOf(place: Place): Place {
  return { ...place, part: "key" };
}

/** e.g. `model_list[0].litellm_params.model`. */
export function pathText(path: Path): string {
  let text = "";
  for (const segment of path) {
    if (typeof segment === "number") text += `[${segment}]`;
    else if (/^[\w-]+$/.test(segment)) text += text === "" ? segment : `.${segment}`;
    else text += `[${JSON.stringify(segment)}]`;
  }
  return text;
}
