/** What a request says of the cache, in LiteLLM's words: `cache: {ttl, "s-maxage", "no-cache", "no-store", namespace, "use-cache"}`. */

import type { Json } from "../../sdk/body.ts";
import { record } from "../../sdk/hub/json.ts";
import { readFlag, readSeconds, refuseControl } from "../attempts/read-control.ts";

export interface CacheControls {
  /** How long its reply is kept. */
  readonly ttlMs: number | undefined;
  /** How old a reply may be. */
  readonly maxAgeMs: number | undefined;
  /** It is not answered from the cache. */
  readonly isFresh: boolean;
  /** Its reply is not kept. */
  readonly isNotKept: boolean;
  readonly namespace: string | undefined;
  /** Undefined: as the configuration says. */
  readonly isWanted: boolean | undefined;
}

export const noCacheControls: CacheControls = {
  ttlMs: undefined,
  maxAgeMs: undefined,
  isFresh: false,
  isNotKept: false,
  namespace: undefined,
  isWanted: undefined,
};

const longestNamespace = 100;
const names = ["ttl", "s-maxage", "s-max-age", "no-cache", "no-store", "namespace", "use-cache"];

/**
 * @param value the field `cache`
 * @param allowed names of controls that the caller's key may use; undefined: all
 * @throws ProxyError 400 that names the control
 */
export function readCacheControls(value: Json | undefined, allowed?: readonly string[]): CacheControls {
  if (value === undefined || value === null) return noCacheControls;
  const given = record(value);
  if (given === undefined) throw refuseControl("cache", value, `an object with ${names.join(", ")}`);
  for (const name of Object.keys(given)) {
    if (!names.includes(name))
      throw refuseControl(`cache.${name.slice(0, longestNamespace)}`, given[name] ?? null, `one of ${names.join(", ")}`);
    if (allowed !== undefined && !allowed.includes(name))
      throw refuseControl(`cache.${name}`, given[name] ?? null, `what this key allows: ${allowed.join(", ") || "nothing"}`);
  }
  const { namespace } = given;
  if (namespace != null && (typeof namespace !== "string" || namespace === "" || namespace.length > longestNamespace))
    throw refuseControl("cache.namespace", namespace, `a text of at most ${longestNamespace} characters`);
  return {
    ttlMs: readSeconds("cache.ttl", given["ttl"]),
    maxAgeMs: readSeconds("cache.s-maxage", given["s-maxage"] ?? given["s-max-age"]),
    isFresh: readFlag("cache.no-cache", given["no-cache"]) ?? false,
    isNotKept: readFlag("cache.no-store", given["no-store"]) ?? false,
    namespace: namespace ?? undefined,
    isWanted: readFlag("cache.use-cache", given["use-cache"]),
  };
}

/**
 * Both places where a request says it. A header of a general kind is never refused: what it says beyond this, or may not say, counts for nothing.
 *
 * @param field the field `cache` of the body; it goes before the header
 * @param header `cache-control`
 * @throws ProxyError 400 that names the control of the body
 */
export function readCacheRequest(field: Json | undefined, header: string | undefined, allowed?: readonly string[]): CacheControls {
  const controls = readCacheControls(field, allowed);
  if (header === undefined) return controls;
  const said = readDirectives(header);
  const may = (name: string): boolean => said.has(name) && (allowed === undefined || allowed.includes(name));
  const seconds = (name: string): number | undefined => (may(name) ? lenientSeconds(said.get(name)) : undefined);
  const isSaid = names.some(may);
  if (!isSaid) return controls;
  return {
    ...controls,
    ttlMs: controls.ttlMs ?? seconds("ttl"),
    maxAgeMs: controls.maxAgeMs ?? seconds("s-maxage"),
    isFresh: controls.isFresh || may("no-cache"),
    isNotKept: controls.isNotKept || may("no-store"),
  };
}

function readDirectives(header: string): ReadonlyMap<string, string> {
  return new Map(
    header.split(",").map((directive) => {
      const [name = "", value = ""] = directive.split("=", 2);
      return [name.trim().toLowerCase(), value.trim().replaceAll('"', "")];
    }),
  );
}

function lenientSeconds(value: string | undefined): number | undefined {
  return value !== undefined && /^[1-9]\d{0,4}$/.test(value) ? Number(value) * 1000 : undefined;
}
