/** `extra_body` and `additional_drop_params` of a deployment, done to a request on its way out. Pure; what has nothing to be done stays as it is. */

import type { Json, RequestBody } from "../../sdk/body.ts";
import type { JsonObject } from "../../sdk/events.ts";
import type { Note } from "../../sdk/wire.ts";
import { applyPatch } from "../body/patch.ts";
import type { Patch } from "../body/patch-format.ts";
import { dropPatch, readDropPaths, without, type DropTree } from "./drop-paths.ts";

type Params = Readonly<Record<string, unknown>>;

/** What a deployment's params ask for, read once. */
interface Rules {
  /** Fields that replace those of the body, whole, as the SDKs put an `extra_body` into it. */
  readonly extra: ReadonlyMap<string, Json>;
  readonly drops: DropTree;
}

const known = new WeakMap<Params, Rules | null>();

/** Which model is asked, and whether it streams, is decided elsewhere: whoever reads the reply relies on it. */
const decided: ReadonlySet<string> = new Set(["model", "stream"]);

/** Undefined where there is nothing to do. */
function rulesOf(params: Params): Rules | undefined {
  const cached = known.get(params);
  if (cached !== undefined) return cached ?? undefined;
  const rules = readRules(params);
  known.set(params, rules ?? null);
  return rules;
}

function readRules(params: Params): Rules | undefined {
  const { extra_body: extraBody, additional_drop_params: dropped } = params;
  const paths: readonly unknown[] = Array.isArray(dropped) ? dropped : [];
  const drops = readDropPaths(paths.filter((path) => typeof path === "string"));
  const extra = new Map<string, Json>();
  if (isRecord(extraBody)) {
    for (const [name, value] of Object.entries(extraBody)) {
      const below = drops.members.get(name);
      if (decided.has(name) || value === undefined || below?.isLeaf === true) continue;
      // It came from a file, and holds what JSON can hold.
      const json: Json = JSON.parse(JSON.stringify(value));
      extra.set(name, below === undefined ? json : without(json, below));
    }
  }
  return extra.size === 0 && drops.members.size === 0 ? undefined : { extra, drops };
}

/** The body of a translated request. */
export function applyOutgoingParams(body: JsonObject, params: Params, note: Note): JsonObject {
  const rules = rulesOf(params);
  if (rules === undefined) return body;
  const extended = rules.extra.size === 0 ? body : { ...body, ...Object.fromEntries(rules.extra) };
  const result = without(extended, rules.drops);
  tell(rules, (name) => body[name], note);
  return isRecord(result) ? result : extended;
}

/** The same for a body that passes as bytes: what is not named stays byte for byte. */
export function applyOutgoingParamsToBytes(body: RequestBody, params: Params, note: Note): RequestBody {
  const rules = rulesOf(params);
  if (rules === undefined) return body;
  const changes: [string, Patch | null][] = Array.from(rules.extra, ([name, value]) => [name, { v: JSON.stringify(value) }]);
  for (const [name, tree] of rules.drops.members) {
    if (rules.extra.has(name) || body.field(name) === undefined) continue;
    const value = body.value(name);
    const patch = tree.isLeaf ? null : value === undefined ? undefined : dropPatch(value, tree);
    if (patch !== undefined) changes.push([name, patch]);
  }
  tell(rules, (name) => (body.field(name) === undefined ? undefined : body.value(name)), note);
  return changes.length === 0 ? body : applyPatch(body, { o: Object.fromEntries(changes) }).body;
}

function tell({ extra, drops }: Rules, valueOf: (name: string) => Json | undefined, note: Note): void {
  if (extra.size > 0) note("extra_body added", { fields: [...extra.keys()] });
  const dropped = [...drops.members].flatMap(([name, tree]) => {
    const value = extra.has(name) ? undefined : valueOf(name);
    return value !== undefined && (tree.isLeaf || without(value, tree) !== value) ? [name] : [];
  });
  if (dropped.length > 0) note("additional_drop_params taken out", { fields: dropped });
}

function isRecord(value: unknown): value is JsonObject {
  return value !== null && typeof value === "object" && !Array.isArray(value);
}
