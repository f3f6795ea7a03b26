/** Names deployments: by `model_info.id`, else by what the entry says. */

import { createHash } from "node:crypto";
import { isSensitivePath, showValue } from "./describe.ts";
import type { Report } from "./report.ts";
import { isMapping, valueOf, within, type Path, type Place } from "./tree.ts";

/** Makes one id per entry; an id written twice is reported. */
export function createIds(report: Report): (entry: Place, written: unknown) => string {
  const taken = new Map<string, number>();
  return (entry, written) => {
    const place = within(entry, "model_info", "id");
    if (typeof written === "string" || typeof written === "number") {
      const id = String(written);
      // It is sent to callers in a header.
      if (!/^[\x21-\x7e]{1,200}$/.test(id))
        report.error(place, `is ${showValue(written, place.path)}; wanted visible characters without blanks, 200 at most.`);
      const first = taken.get(id);
      if (first !== undefined)
        report.error(
          place,
          `is ${showValue(written, place.path)}, as in the entry on line ${first}; each deployment needs an id of its own.`,
        );
      taken.set(id, first ?? entry.tree.locate(entry.path).line);
      return id;
    }
    if (written != null) report.error(place, `is ${showValue(written, place.path)}; wanted text.`);
    const base = hashEntry(valueOf(entry));
    // Entries that differ in their key only: the same but for what must not go into a name.
    let id = base;
    for (let count = 2; taken.has(id); count += 1) id = `${base}-${count}`;
    taken.set(id, entry.tree.locate(entry.path).line);
    return id;
  };
}

function hashEntry(entry: unknown): string {
  if (!isMapping(entry)) return "";
  const identity = canonical({ model_name: entry["model_name"], litellm_params: entry["litellm_params"] }, []);
  return createHash("sha256").update(identity).digest("hex").slice(0, 12);
}

/** JSON with sorted keys, secrets left out: a hash of one would let it be guessed. */
function canonical(value: unknown, path: Path): string {
  if (Array.isArray(value)) return `[${value.map((item, index) => canonical(item, [...path, index])).join()}]`;
  if (!isMapping(value)) return JSON.stringify(value) ?? "null";
  const keys = Object.keys(value).filter((key) => !isSensitivePath([...path, key]));
  return `{${keys
    .sort()
    .map((key) => `${JSON.stringify(key)}:${canonical(value[key], [...path, key])}`)
    .join()}}`;
}
