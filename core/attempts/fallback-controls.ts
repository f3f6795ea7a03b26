/** Reads the fallbacks that a request brings along: a plain list, or the tables of the configuration. */

import type { Json } from "../../sdk/body.ts";
import { record } from "../../sdk/hub/json.ts";
import type { FallbackTable, FallbackTarget } from "../config/router-types.ts";
import { refuseControl } from "./read-control.ts";

export interface FallbackControl {
  readonly list: readonly FallbackTarget[] | undefined;
  readonly table: FallbackTable | undefined;
}

const mostTargets = 50;
const wanted =
  'model names, e.g. ["other"], or objects with a model and fields of the request, e.g. [{"model": "other", "max_tokens": 100}]';

/**
 * `["other"]` and `[{"model": "other", …}]` hold for every failure; `[{"group": ["other"]}]` is a table.
 *
 * @throws ProxyError 400
 */
export function readFallbackControl(value: Json | undefined): FallbackControl {
  if (value === undefined || value === null) return { list: undefined, table: undefined };
  const items = listOf("fallbacks", value, wanted);
  const isTable = items.length > 0 && items.every((item) => isEntry(item));
  if (isTable) return { list: undefined, table: tableOf("fallbacks", items) };
  return { list: items.map((item, index) => targetOf(`fallbacks.${index}`, item)), table: undefined };
}

/** @throws ProxyError 400 */
export function readTableControl(where: string, value: Json | undefined): FallbackTable | undefined {
  return value === undefined || value === null ? undefined : tableOf(where, listOf(where, value, tableWanted));
}

const tableWanted = 'objects of a group and those to try after it, e.g. [{"group": ["other"]}]';

/** An object of lists, which no field of a target called `model` is. */
function isEntry(item: Json): boolean {
  const entry = record(item);
  return entry !== undefined && typeof entry["model"] !== "string";
}

function listOf(where: string, value: Json, what: string): readonly Json[] {
  if (!Array.isArray(value)) throw refuseControl(where, value, `a list of ${what}`);
  if (value.length > mostTargets) throw refuseControl(where, value.length, `at most ${mostTargets} entries`);
  return value;
}

function tableOf(where: string, items: readonly Json[]): FallbackTable {
  const table = new Map<string, readonly FallbackTarget[]>();
  for (const [index, item] of items.entries()) {
    const at = `${where}.${index}`;
    const entry = record(item);
    if (entry === undefined) throw refuseControl(at, item, tableWanted);
    for (const [group, targets] of Object.entries(entry)) {
      const list = Array.isArray(targets) ? listOf(`${at}.${group}`, targets, wanted) : [targets];
      // The first entry of a group counts.
      if (!table.has(group)) {
        table.set(
          group,
          list.map((target, place) => targetOf(`${at}.${group}.${place}`, target)),
        );
      }
    }
  }
  return table;
}

function targetOf(where: string, item: Json): FallbackTarget {
  if (typeof item === "string" && item !== "") return { name: item, overrides: {} };
  const object = record(item);
  const model = object?.["model"];
  if (object === undefined || typeof model !== "string" || model === "")
    throw refuseControl(where, item, "a model name or an object with one");
  const { model: _, ...overrides } = object;
  const refused = Object.keys(overrides).find((field) => notOfTheBody.has(field));
  if (refused !== undefined) {
    throw refuseControl(
      `${where}.${refused}`,
      overrides[refused] ?? null,
      "nothing here: where a request goes is for the configuration to say",
    );
  }
  return { name: model, overrides };
}

/** Addresses and credentials: a caller names groups, never hosts. */
const notOfTheBody: ReadonlySet<string> = new Set([
  "api_base",
  "base_url",
  "api_key",
  "api_version",
  "custom_llm_provider",
  "organization",
  "extra_headers",
  "headers",
]);
