/** Reads tables of fallbacks, in every form in which LiteLLM's users write them. */

import type { Json } from "../../sdk/body.ts";
import { describeValue, isSensitivePath, maskSecrets, showValue } from "./describe.ts";
import type { Report } from "./report.ts";
import type { FallbackTable, FallbackTarget, NamedGroup } from "./router-types.ts";
import { isMapping, keyOf, pathText, valueOf, within, type Place } from "./tree.ts";

/** Every group that has no entry of its own. */
export const everyGroup = "*";

/** Say where a request goes, not what it holds; in a body they would be sent to a provider. */
const notOfTheBody: ReadonlySet<string> = new Set([
  "api_base",
  "base_url",
  "api_version",
  "custom_llm_provider",
  "extra_headers",
  "headers",
]);

/** What is being read. */
interface Reading {
  /** Gathers the groups that are named. */
  readonly named: NamedGroup[];
  readonly report: Report;
}

/** `[{group: [other, …]}, …]`, or one mapping; undefined where nothing is said. */
export function readFallbackTable(place: Place, reading: Reading): FallbackTable | undefined {
  const value = valueOf(place);
  if (value == null) return undefined;
  const table = new Map<string, readonly FallbackTarget[]>();
  if (isMapping(value)) addEntries(place, table, reading);
  else if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) {
      const at = within(place, index);
      if (isMapping(item)) addEntries(at, table, reading);
      else if (typeof item === "string" && item !== "")
        table.set(everyGroup, [...(table.get(everyGroup) ?? []), ...readTargets(at, reading)]);
      else reading.report.error(at, `is ${showValue(item, at.path)}; wanted a mapping, e.g. {model_name: [other]}.`);
    }
  } else reading.report.error(place, `is ${showValue(value, place.path)}; wanted a list of mappings, e.g. [{model_name: [other]}].`);
  return table.size === 0 ? undefined : table;
}

/** `[other, …]`, or one of them; undefined where nothing is said. */
export function readDefaultFallbacks(place: Place, reading: Reading): readonly FallbackTarget[] | undefined {
  if (valueOf(place) == null) return undefined;
  const targets = readTargets(place, reading);
  return targets.length === 0 ? undefined : targets;
}

function addEntries(place: Place, table: Map<string, readonly FallbackTarget[]>, reading: Reading): void {
  const { named, report } = reading;
  for (const [group, value] of Object.entries(valueOf(place) ?? {})) {
    const at = within(place, group);
    if (value == null) continue;
    if (table.has(group)) {
      report.warning(keyOf(at), "stands in an earlier entry already, which counts; put all of its fallbacks into one list.");
      continue;
    }
    if (group !== everyGroup) named.push(nameOf(keyOf(at), group, "source"));
    table.set(group, readTargets(at, reading));
  }
}

function readTargets(place: Place, reading: Reading): readonly FallbackTarget[] {
  const value = valueOf(place);
  if (!Array.isArray(value)) return readTarget(place, reading);
  return value.flatMap((_, index) => readTarget(within(place, index), reading));
}

/** None, and reported, when it is no target. */
function readTarget(place: Place, { named, report }: Reading): readonly FallbackTarget[] {
  const value = valueOf(place);
  if (typeof value === "string" && value !== "") {
    named.push(nameOf(place, value, "target"));
    return [{ name: value, overrides: {} }];
  }
  if (!isMapping(value)) {
    const wanted = "wanted a model name, or a mapping with model and fields of the request";
    report.error(place, `is ${showValue(value, place.path)}; ${wanted}.`);
    return [];
  }
  const { model, ...fields } = value;
  if (typeof model !== "string" || model === "") {
    const at = within(place, "model");
    report.error(at, `is ${showValue(model, at.path)}; wanted a model name.`);
    return [];
  }
  named.push(nameOf(within(place, "model"), model, "target"));
  const overrides = Object.entries(fields).flatMap(([field, written]): [string, Json][] => {
    const at = within(place, field);
    if (notOfTheBody.has(field) || isSensitivePath([field])) {
      report.error(keyOf(at), "is no field of a request; set it in litellm_params of an entry of model_list, and name that one here.");
      return [];
    }
    return isJson(written, at, report) ? [[field, written]] : [];
  });
  return [{ name: model, overrides: Object.fromEntries(overrides) }];
}

/** What YAML knows and JSON does not is reported. */
function isJson(value: unknown, place: Place, report: Report): value is Json {
  if (Array.isArray(value)) return value.every((item, index) => isJson(item, within(place, index), report));
  if (isMapping(value)) return Object.entries(value).every(([key, item]) => isJson(item, within(place, key), report));
  const isOne = value === null || typeof value === "string" || typeof value === "boolean" || Number.isFinite(value);
  if (!isOne) report.error(place, `is ${describeValue(value)} that JSON does not know; wanted what a request may hold.`);
  return isOne;
}

function nameOf(place: Place, name: string, as: NamedGroup["as"]): NamedGroup {
  return { name, as, location: place.tree.locate(place.path, place.part), path: maskSecrets(pathText(place.path)) };
}
