/** Reads what `ccproxy:` and `litellm:` of ccproxy.yaml say about the server and its log. */

import { checkKeys, checkMapping } from "./check.ts";
import { laterServerKeys } from "./later-keys.ts";
import type { Report } from "./report.ts";
import { litellmServerSchema, logSchema, type CcproxyKeys } from "./schema-ccproxy.ts";
import { valueOf, within, type Place } from "./tree.ts";
import type { LogConfig, ServerConfig } from "./types.ts";

const bytesPerMb = 1_048_576;

/**
 * @param keys the checked keys of `ccproxy:`
 * @param root place of the whole file; undefined when there is none
 */
export function readServer(keys: Partial<CcproxyKeys>, root: Place | undefined, report: Report): ServerConfig {
  const litellm = root === undefined || valueOf(within(root, "litellm")) == null ? undefined : within(root, "litellm");
  const fallback = litellm === undefined ? undefined : checkMapping(litellm, litellmServerSchema, report);
  if (litellm !== undefined) {
    const known = { effective: Object.keys(litellmServerSchema.shape), laterNote: (key: string) => laterServerKeys.get(key) };
    checkKeys(litellm, known, { unknown: "warning", told: new Set() }, report);
  }
  return {
    host: keys.host ?? fallback?.host ?? "127.0.0.1",
    port: keys.port ?? fallback?.port ?? 4000,
    graceMs: Math.round((keys.grace_seconds ?? 30) * 1000),
    maxBodyBytes: Math.floor((keys.max_body_mb ?? 32) * bytesPerMb),
    allowedHosts: (keys.allowed_hosts ?? []).map((host) => host.toLowerCase()),
    localAuth: keys.local_auth ?? false,
    workers: keys.num_workers ?? 1,
  };
}

/** @param ccproxy place of `ccproxy:`; undefined when there is none */
export function readLog(keys: Partial<CcproxyKeys>, ccproxy: Place | undefined, report: Report): LogConfig {
  const place = ccproxy === undefined || keys.log === undefined ? undefined : within(ccproxy, "log");
  const log = place === undefined ? undefined : checkMapping(place, logSchema, report);
  if (place !== undefined) checkKeys(place, { effective: Object.keys(logSchema.shape) }, { unknown: "error", told: new Set() }, report);
  return {
    level: log?.level ?? (keys.debug === true ? "debug" : "info"),
    maxBytes: Math.floor((log?.max_mb ?? 10) * bytesPerMb),
    keep: log?.keep ?? 5,
  };
}
