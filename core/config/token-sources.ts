/** Reads `oat_sources` and its older form `credentials`. */

import { checkKeys, checkMapping } from "./check.ts";
import { describeValue } from "./describe.ts";
import type { Report } from "./report.ts";
import { tokenSourceSchema } from "./schema-ccproxy.ts";
import { isMapping, valueOf, within, type Place } from "./tree.ts";
import type { TokenSource } from "./types.ts";

/**
 * @param section     place of `ccproxy:`
 * @param credentials value of `credentials`, checked
 */
export function readTokenSources(section: Place, credentials: string | undefined, report: Report): ReadonlyMap<string, TokenSource> {
  const sources = new Map<string, TokenSource>();
  const place = within(section, "oat_sources");
  const value = valueOf(place);
  if (isMapping(value)) {
    for (const provider of Object.keys(value)) {
      const source = readTokenSource(within(place, provider), report);
      if (source !== undefined) sources.set(provider, source);
    }
  } else if (value != null) {
    report.error(place, `is ${describeValue(value)}; wanted a mapping of providers, e.g. "anthropic: command".`);
  }
  if (credentials !== undefined) {
    const overruled = isMapping(value) && value["anthropic"] != null;
    if (!overruled) sources.set("anthropic", { type: "command", command: credentials, userAgent: undefined });
    const message = overruled
      ? "has no effect beside oat_sources.anthropic; remove it."
      : "is an older form; write it as oat_sources.anthropic.";
    report.warning({ ...within(section, "credentials"), part: "key" }, message);
  }
  return sources;
}

function readTokenSource(place: Place, report: Report): TokenSource | undefined {
  const value = valueOf(place);
  if (typeof value === "string" && value.trim() !== "") return { type: "command", command: value, userAgent: undefined };
  if (!isMapping(value)) {
    const found = typeof value === "string" ? "empty" : describeValue(value);
    report.error(place, `is ${found}; wanted a shell command, or a mapping with command, or one with file and path.`);
    return undefined;
  }
  checkKeys(place, { effective: Object.keys(tokenSourceSchema.shape) }, { unknown: "error", told: new Set() }, report);
  const keys = checkMapping(place, tokenSourceSchema, report);
  if (keys === undefined) return undefined;
  const { command, file, path, user_agent: userAgent } = keys;
  if (command !== undefined && file === undefined && path === undefined) return { type: "command", command, userAgent };
  if (command === undefined && file !== undefined && path !== undefined) return { type: "file", file, path, userAgent };
  report.error(place, "needs either command, or file together with path.");
  return undefined;
}
