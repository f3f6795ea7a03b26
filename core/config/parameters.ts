/** The forms in which the Python original took the arguments of a rule. */

import { isMapping, valueOf, type Path, type Place } from "./tree.ts";
import type { Location, Parameters } from "./types.ts";

export interface LocatedParameters {
  readonly params: Parameters;
  /** Where the value at a path stands; the path starts with a name or a position. */
  locate(path: Path): Location;
}

/**
 * absent, empty, `0`, `false` → none; a mapping → named; a list of mappings only → these merged, later ones win;
 * any other list → every item positional, mappings too; anything else → one positional value.
 */
export function readParameters(place: Place): LocatedParameters {
  const value = valueOf(place);
  const at = (...path: Path): Location => place.tree.locate([...place.path, ...path]);
  if (Array.isArray(value) && value.length > 0) {
    const items: readonly unknown[] = value;
    if (!items.every(isMapping)) return { params: { positional: items, named: {} }, locate: (path) => at(...path) };
    const named = Object.fromEntries(items.flatMap((item) => Object.entries(item)));
    return {
      params: { positional: [], named },
      locate: (path) => {
        const [name] = path;
        const index = items.findLastIndex((item) => name !== undefined && Object.hasOwn(item, name));
        return index < 0 ? at() : at(index, ...path);
      },
    };
  }
  if (isMapping(value)) return { params: { positional: [], named: value }, locate: (path) => at(...path) };
  if (!isGiven(value)) return { params: { positional: [], named: {} }, locate: () => at() };
  return { params: { positional: [value], named: {} }, locate: (path) => at(...path.slice(1)) };
}

/** What Python takes for true, lists and mappings apart. */
function isGiven(value: unknown): boolean {
  return value !== undefined && value !== null && value !== false && value !== 0 && value !== "" && !Array.isArray(value);
}
