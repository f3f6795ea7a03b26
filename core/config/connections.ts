/** Reads how hosts are connected to. */

import { stat } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import type { Report } from "./report.ts";
import type { LitellmSettingsKeys } from "./schema-litellm.ts";
import { within, type Place } from "./tree.ts";
import type { ConnectionConfig } from "./types.ts";

export const defaultConnections: ConnectionConfig = { forceIpv4: false, verify: true, caFile: undefined, http2: false };

/** @param root the whole of config.yaml */
export async function readConnections(root: Place, keys: Partial<LitellmSettingsKeys>, report: Report): Promise<ConnectionConfig> {
  const { ssl_verify: verify } = keys;
  const place = within(root, "litellm_settings", "ssl_verify");
  const caFile = typeof verify === "string" ? resolve(dirname(root.tree.file), verify) : undefined;
  if (caFile !== undefined && !(await isFile(caFile)))
    report.error(place, `names ${caFile}, where there is no file; wanted true, false, or a file with certificates of authorities.`);
  if (verify === false)
    report.warning(place, "lets anyone on the way to a host read keys and requests; name a file with the host's authority instead.");
  return {
    forceIpv4: keys.force_ipv4 ?? defaultConnections.forceIpv4,
    verify: verify !== false,
    caFile,
    http2: keys.http2 ?? defaultConnections.http2,
  };
}

async function isFile(file: string): Promise<boolean> {
  try {
    return (await stat(file)).isFile();
  } catch {
    return false;
  }
}
