/** Which files belong together, and may therefore import each other: the user's folder, one package, our own sdk. */

import { relative, sep } from "node:path";

export interface Zone {
  readonly kind: "user" | "package" | "sdk" | "ready-made";
  /** Absolute, without links. */
  readonly root: string;
  /** What the root is called in messages, stacks and source maps: empty for the user's folder, else e.g. `npm:yaml`. */
  readonly name: string;
}

/** Whether the path is the folder or lies in it. Both absolute and without links. */
export function isWithin(folder: string, path: string): boolean {
  const way = relative(folder, path);
  return way === "" || (way !== ".." && !way.startsWith(`..${sep}`) && !way.startsWith(sep));
}

/** e.g. `rules/vip.ts`, `npm:yaml/dist/index.js`, `ccproxy:hooks/redact-secrets.ts`. */
export function displayName(zone: Zone, path: string): string {
  const inside = relative(zone.root, path).split(sep).join("/");
  return zone.name === "" ? inside : `${zone.name}/${inside}`;
}

/** The innermost package folder below a `node_modules` that holds this path; undefined when there is none. */
export function packageFolder(path: string): { readonly root: string; readonly name: string } | undefined {
  const segments = path.split(sep);
  const at = segments.lastIndexOf("node_modules");
  const first = segments[at + 1];
  if (at < 0 || first === undefined) return undefined;
  const length = first.startsWith("@") ? 2 : 1;
  if (segments.length < at + 1 + length) return undefined;
  const name = segments.slice(at + 1, at + 1 + length);
  return { root: segments.slice(0, at + 1 + length).join(sep), name: name.join("/") };
}

/** `@scope/pkg/sub` → `@scope/pkg`. */
export function packageName(specifier: string): string {
  return specifier
    .split("/")
    .slice(0, specifier.startsWith("@") ? 2 : 1)
    .join("/");
}
