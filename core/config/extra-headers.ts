/** Reads `extra_headers` of a deployment: only what may be sent as it stands. */

import { validateHeaderName } from "node:http";
import { describeValue } from "./describe.ts";
import type { Report } from "./report.ts";
import { isMapping, keyOf, valueOf, within, type Place } from "./tree.ts";

/** Belong to the connection or are ours to set; a second one would make the request mean something else. */
const reserved: ReadonlySet<string> = new Set([
  "connection",
  "content-length",
  "expect",
  "host",
  "keep-alive",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

/** Header names come out in lower case. */
export function readExtraHeaders(place: Place, report: Report): Readonly<Record<string, string>> {
  const value = valueOf(place);
  if (value == null) return {};
  if (!isMapping(value)) {
    report.error(place, `is ${describeValue(value)}; wanted a mapping of header names to texts.`);
    return {};
  }
  const headers: Record<string, string> = {};
  for (const [name, written] of Object.entries(value)) {
    const at = within(place, name);
    if (!isHeaderName(name)) report.error(keyOf(at), "is no header name; wanted letters, digits and dashes.");
    else if (reserved.has(name.toLowerCase())) report.error(keyOf(at), "cannot be set; it belongs to the connection.");
    else if (typeof written === "string" || typeof written === "number" || typeof written === "boolean") {
      const text = String(written);
      // Anything beyond visible ASCII would arrive as something else.
      if (/^[\t\x20-\x7e]*$/.test(text)) headers[name.toLowerCase()] = text.trim();
      else report.error(at, "holds a line break or a character that headers cannot carry; wanted visible ASCII.");
    } else if (written !== null) report.error(at, `is ${describeValue(written)}; wanted text.`);
  }
  return headers;
}

function isHeaderName(name: string): boolean {
  try {
    validateHeaderName(name);
    return true;
  } catch {
    return false;
  }
}
