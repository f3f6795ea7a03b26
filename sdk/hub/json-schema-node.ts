/** One node of a JSON Schema, on its way into a vendor's dialect. */

import type { Json } from "../body.ts";

/** A node that is being built; never one that came in. */
export interface Node {
  [keyword: string]: Json;
}

export interface Rules {
  /** Undefined where all are taken. */
  readonly kept: ReadonlySet<string> | undefined;
  /** `alone`: kept without anything beside it. `inline`: what is referred to stands in its place. */
  readonly refs: "keep" | "alone" | "inline";
  /** `allOf` is merged into its node, `oneOf` becomes `anyOf`, `const` becomes `enum`; conditions are left out. */
  readonly merges: boolean;
  /** `bare`: no alternatives and no values at the top; a set: nothing but these. */
  readonly root: "bare" | ReadonlySet<string>;
  readonly formats?: ReadonlySet<string>;
  /** What leads back to itself must not be required. */
  readonly optionalCycles?: boolean;
  /** The last word on a node whose children are done. */
  finish(node: Node, remarks: Set<string>): Node;
}

/** Names of keywords, parted by blanks. */
export function keywords(...lines: readonly string[]): ReadonlySet<string> {
  return new Set(lines.flatMap((line) => line.split(" ")));
}

export function isObject(value: Json | undefined): value is { readonly [key: string]: Json } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** In the order of the standard; a name that is none of these is left out. */
const types: ReadonlySet<Json> = new Set(["null", "boolean", "object", "array", "number", "string", "integer"]);

/** Undefined for what names no type. */
export function readType(value: Json | undefined): string | readonly string[] | undefined {
  if (typeof value === "string") {
    const type = value.toLowerCase();
    return types.has(type) ? type : undefined;
  }
  if (!Array.isArray(value)) return undefined;
  const named = value.map((item: Json) => readType(item)).filter((item) => typeof item === "string");
  const [first, ...others] = new Set(named);
  return first === undefined || others.length > 0 ? (first === undefined ? undefined : [first, ...others]) : first;
}
