/** Reads single controls of a request; one that holds something else is refused by its name. */

import type { Json } from "../../sdk/body.ts";
import { ProxyError } from "../../sdk/errors.ts";

/** @param where the field or header @param wanted in words */
export function refuseControl(where: string, found: Json, wanted: string): ProxyError {
  return new ProxyError(`${where}: found ${describe(found)}; wanted ${wanted}.`, { status: 400, kind: "invalid_request_error" });
}

/** What a caller wrote may be secret, and long: only its kind is told, and figures. */
function describe(found: Json): string {
  if (found === null) return "null";
  if (Array.isArray(found)) return "a list";
  if (typeof found === "object") return "an object";
  return typeof found === "string" ? "a text" : String(found);
}

/** Seconds, as a number or, in a header, as its text. */
const figure = /^\d{1,9}(?:\.\d{1,9})?$/;

/** A day; longer than any request. */
const mostSeconds = 86_400;

/** @returns ms; undefined where nothing is said @throws ProxyError 400 */
export function readSeconds(where: string, value: Json | undefined): number | undefined {
  if (value === undefined || value === null) return undefined;
  const seconds = typeof value === "string" && figure.test(value) ? Number(value) : value;
  if (typeof seconds !== "number" || !(seconds > 0) || seconds > mostSeconds) {
    throw refuseControl(where, value, `seconds, more than 0 and at most ${mostSeconds}`);
  }
  return Math.max(1, Math.round(seconds * 1000));
}

/** More would be an attack on an upstream. */
const mostRetries = 10;

/** @throws ProxyError 400 */
export function readRetries(where: string, value: Json | undefined): number | undefined {
  if (value === undefined || value === null) return undefined;
  const count = typeof value === "string" && /^\d{1,3}$/.test(value) ? Number(value) : value;
  if (typeof count !== "number" || !Number.isInteger(count) || count < 0 || count > mostRetries) {
    throw refuseControl(where, value, `a whole number from 0 to ${mostRetries}`);
  }
  return count;
}

/** @throws ProxyError 400 */
export function readFlag(where: string, value: Json | undefined): boolean | undefined {
  if (value === undefined || value === null) return undefined;
  const word = typeof value === "string" ? value.toLowerCase() : value;
  if (word === true || word === "true") return true;
  if (word === false || word === "false") return false;
  throw refuseControl(where, value, "true or false");
}

/** @throws ProxyError 400 */
export function readTags(where: string, value: Json | undefined): readonly string[] | undefined {
  if (value === undefined || value === null) return undefined;
  if (!Array.isArray(value)) throw refuseControl(where, value, "a list of texts");
  const tags = value.map((tag: Json, index) => {
    if (typeof tag !== "string") throw refuseControl(`${where}.${index}`, tag, "a text");
    return tag;
  });
  return [...new Set(tags)];
}
