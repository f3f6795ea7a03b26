/** Reads the callbacks of `litellm_settings`: references to code are kept, names of integrations are told of. */

import { describeValue, quote } from "./describe.ts";
import type { Report } from "./report.ts";
import { isMapping, valueOf, within, type Place } from "./tree.ts";
import type { CallbackEntry } from "./types.ts";

/** @param settings place of `litellm_settings` */
export function readCallbacks(settings: Place, report: Report): readonly CallbackEntry[] {
  const callbacks = namesAt(within(settings, "callbacks"), report).filter(({ place, name }) => isCode(place, name, report));
  for (const key of ["success_callback", "failure_callback"]) {
    for (const { place, name } of namesAt(within(settings, key), report)) {
      if (isCode(place, name, report))
        report.warning(place, `names code, which is not called from here. List it under litellm_settings.callbacks, which hear of both.`);
    }
  }
  return callbacks.map(({ place, name }) => ({ reference: name, location: place.tree.locate(place.path) }));
}

interface NamedPlace {
  readonly place: Place;
  readonly name: string;
}

function namesAt(place: Place, report: Report): readonly NamedPlace[] {
  const value = valueOf(place);
  if (value == null) return [];
  if (typeof value === "string") return [{ place, name: value }];
  if (!Array.isArray(value)) {
    report.warning(place, `is ${describeValue(value)}, no list of names; it has no effect.`);
    return [];
  }
  return value.flatMap((entry: unknown, index) => {
    const at = within(place, index);
    // A mapping of one integration to its parameters.
    const name = isMapping(entry) ? Object.keys(entry)[0] : entry;
    if (typeof name === "string" && name !== "") return [{ place: at, name }];
    report.warning(at, "is no name of a callback; it has no effect.");
    return [];
  });
}

/** Names of integrations are one word; whatever else is written leads to code. */
function isCode(place: Place, name: string, report: Report): boolean {
  if (name === "ccproxy.handler" || name.startsWith("ccproxy.handler.")) {
    report.note(place, "names the handler of the Python original, which is built in; the entry has no effect and can go.");
    return false;
  }
  if (/[./:]/.test(name)) return true;
  report.note(place, `names ${quote(name)}: accepted, not yet in effect; nothing is sent there. Requests are in ccproxy's own log.`);
  return false;
}
