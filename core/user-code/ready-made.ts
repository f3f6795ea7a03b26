/** What `ccproxy.rules.X` and `ccproxy.hooks.x` name: steps and rules that are built in, and the ready-made files of the package. */

import { readdir, realpath } from "node:fs/promises";
import { join } from "node:path";
import { listWords } from "../config/check.ts";
import { didYouMean } from "../config/suggest.ts";
import type { ReferenceContext, ResolvedReference } from "./reference.ts";
import type { Zone } from "./zone.ts";

/** Steps of the chain that users name in their list of hooks. */
const builtInSteps: ReadonlySet<string> = new Set([
  "rule_evaluator",
  "model_router",
  "forward_oauth",
  "forward_oauth_hook",
  "forward_apikey",
]);

/** Undefined for a reference that names something else. */
export async function resolveBuiltIn(reference: string, context: ReferenceContext): Promise<ResolvedReference | undefined> {
  const match = /^ccproxy\.(rule|hook)s\.(.+)$/s.exec(reference);
  const [, kind, name] = match ?? [];
  if (kind === undefined || name === undefined) return undefined;
  const builtIns = kind === "rule" ? context.registryRuleNames : builtInSteps;
  if (builtIns.has(name)) return { type: "built-in", tried: [] };
  const root = await realpath(context.readyMadeDirectory).catch(() => context.readyMadeDirectory);
  const files = (await readdir(root).catch(() => [])).filter(isReadyMade);
  const file = `${kebab(name)}.ts`;
  if (files.includes(file)) {
    const zone: Zone = { kind: "ready-made", root, name: "ccproxy:hooks" };
    return { type: "code", entry: { type: "file", path: join(root, file), zone }, exportName: "default", origin: "ready-made", tried: [] };
  }
  const readyMade = files.map((ready) => ready.slice(0, -".ts".length));
  const ofKind = kind === "rule" ? readyMade.filter(isRuleName).map(pascal) : readyMade.filter((ready) => !isRuleName(ready)).map(snake);
  const known = [...builtIns, ...ofKind].map((word) => `ccproxy.${kind}s.${word}`);
  const why = `is no built-in ${kind}; there are ${listWords(known)}.${didYouMean(name, [...builtIns, ...ofKind])}`;
  return { type: "unresolved", why, tried: [] };
}

function isReadyMade(name: string): boolean {
  return name.endsWith(".ts") && !name.endsWith(".test.ts") && !name.endsWith(".d.ts") && !/^[_.]/.test(name);
}

function isRuleName(name: string): boolean {
  return name.endsWith("-rule");
}

/** `KeywordRule`, `keyword_rule` → `keyword-rule`. */
function kebab(name: string): string {
  return name
    .replaceAll(/([a-z\d])([A-Z])/g, "$1-$2")
    .replaceAll(/([A-Z]+)([A-Z][a-z])/g, "$1-$2")
    .toLowerCase()
    .replaceAll("_", "-");
}

function pascal(name: string): string {
  return name
    .split("-")
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join("");
}

function snake(name: string): string {
  return name.replaceAll("-", "_");
}
