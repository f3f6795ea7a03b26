/** Reads what a host says its files turned out to be. */

import type { ErrorInfo, Phase, UnitManifest } from "./protocol.ts";

const phases: ReadonlySet<unknown> = new Set<Phase>(["rule", "preCall", "preUpstream", "onEvent", "postCall", "onError", "onComplete"]);
const maxTextLength = 1000;
const maxEvents = 100;

/** One for each unit, in any order; or what is wrong with them. */
export function readManifests(value: unknown, units: readonly number[]): readonly UnitManifest[] | string {
  if (!Array.isArray(value) || value.length !== units.length) return "it did not say of every unit what it is";
  const manifests: UnitManifest[] = [];
  for (const unit of units) {
    const found: unknown = value.find((candidate: unknown) => isRecord(candidate) && candidate["unit"] === unit);
    if (!isRecord(found)) return `it did not say what unit ${unit} is`;
    manifests.push({
      unit,
      error: readError(found["error"]),
      defined: found["defined"] === "rule" || found["defined"] === "hook" ? found["defined"] : undefined,
      label: readText(found["label"]),
      summary: readText(found["summary"]),
      phases: Array.isArray(found["phases"]) ? found["phases"].filter(isPhase) : [],
      required: found["required"] === true,
      buffer: found["buffer"] === true,
      events: Array.isArray(found["events"])
        ? found["events"].filter((event) => typeof event === "string" && event.length <= maxTextLength).slice(0, maxEvents)
        : undefined,
    });
  }
  return manifests;
}

/** Cut to size; undefined when there is none. */
export function readError(value: unknown): ErrorInfo | undefined {
  if (!isRecord(value)) return undefined;
  const text = (field: string, length: number): string => {
    const found = value[field];
    return typeof found === "string" ? found.slice(0, length) : "";
  };
  return { name: text("name", 200) || "Error", message: text("message", 4000), stack: text("stack", 4000) };
}

export function isRecord(value: unknown): value is { readonly [key: string]: unknown } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isPhase(value: unknown): value is Phase {
  return phases.has(value);
}

function readText(value: unknown): string | undefined {
  return typeof value === "string" ? value.slice(0, maxTextLength) : undefined;
}
