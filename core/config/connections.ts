/** Reads how hosts are connected to. */

import { stat } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import type { Report } from "./report.ts";
import type { LitellmSettingsKeys } from "./schema-litellm.ts";
import { flag } from "./schema-values.ts";
import { within, type Place } from "./tree.ts";
import type { ConnectionConfig } from "./types.ts";
import type { Variables } from "./variables.ts";

export const defaultConnections: ConnectionConfig = { forceIpv4: false, verify: true, caFile: undefined, http2: false };

/** LiteLLM's own variable; it wins over `ssl_verify`. */
const verifyVariable = "SSL_VERIFY";

export interface ConnectionSources {
  readonly keys: Partial<LitellmSettingsKeys>;
  readonly variables: Variables;
}

/** @param root the whole of config.yaml */
export async function readConnections(root: Place, { keys, variables }: ConnectionSources, report: Report): Promise<ConnectionConfig> {
  const variable = variables.get(verifyVariable)?.trim();
  const verify = variable === undefined ? keys.ssl_verify : readVerify(variable);
  const caFile = typeof verify === "string" ? resolve(dirname(root.tree.file), verify) : undefined;
  const tell = (severity: "error" | "warning", message: string): void => {
    if (variable === undefined) report[severity](within(root, "litellm_settings", "ssl_verify"), message);
    else report.file(severity, root.tree.file, `is read with the variable ${verifyVariable}, which ${message}`);
  };
  if (caFile !== undefined && !(await isFile(caFile)))
    tell("error", `names ${caFile}, where there is no file; wanted true, false, or a file with certificates of authorities.`);
  if (verify === false)
    tell("warning", "lets anyone on the way to a host read keys and requests; name a file with the host's authority instead.");
  return {
    forceIpv4: keys.force_ipv4 ?? defaultConnections.forceIpv4,
    verify: verify !== false,
    caFile,
    http2: keys.http2 ?? defaultConnections.http2,
  };
}

function readVerify(word: string): boolean | string {
  if (word === "0" || word === "1") return word === "1";
  const { data } = flag.safeParse(/^(true|false)$/i.test(word) ? word.toLowerCase() === "true" : word);
  return data ?? word;
}

async function isFile(file: string): Promise<boolean> {
  try {
    return (await stat(file)).isFile();
  } catch {
    return false;
  }
}
