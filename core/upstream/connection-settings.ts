/** What the configuration and the environment say of connections, in the form in which they are used. */

import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { type SecureContext, createSecureContext } from "node:tls";

import type { Variables } from "../../sdk/provider.ts";
import type { ConnectionConfig } from "../config/types.ts";
import { failed } from "./describe-failure.ts";
import { proxyVariables } from "./proxies.ts";

/** The part of a configuration that is looked at. */
export interface ConnectionSource {
  readonly connections: ConnectionConfig;
  variable(name: string): string | undefined;
}

export interface ConnectionSettings extends Pick<ConnectionConfig, "forceIpv4" | "http2" | "verify"> {
  readonly variables: Variables;
  /** @throws ConnectionError when the certificates cannot be read */
  readonly secureContext: () => SecureContext;
  /** Equal where nothing differs, the content of files included. Holds no secret. */
  readonly key: string;
}

/** What holds where nothing is configured: no proxy, no authorities but the usual ones. */
export const plainConnections: ConnectionSource = {
  connections: { forceIpv4: false, verify: true, caFile: undefined, http2: false },
  variable: () => undefined,
};

export function readConnectionSettings(source: ConnectionSource): ConnectionSettings {
  const { forceIpv4, http2, verify } = source.connections;
  const variables: Variables = (name) => source.variable(name);
  const authorities = readAuthorities(source);
  const seen = [forceIpv4, http2, verify, authorities?.file, authorities?.content, ...proxyVariables(variables)];
  let context: SecureContext | undefined;
  return {
    forceIpv4,
    http2,
    verify,
    variables,
    secureContext: () => (context ??= createContext(authorities)),
    key: createHash("sha256").update(JSON.stringify(seen)).digest("base64"),
  };
}

interface Authorities {
  readonly file: string;
  /** PEM; or why there is none. */
  readonly content: string | Error;
}

/** `ssl_verify: file`, else SSL_CERT_FILE where that file exists, as LiteLLM has it; undefined: those of Node, NODE_EXTRA_CA_CERTS included. */
function readAuthorities(source: ConnectionSource): Authorities | undefined {
  const { caFile, verify } = source.connections;
  if (!verify) return undefined;
  if (caFile !== undefined) return { file: caFile, content: readText(caFile) };
  const named = source.variable("SSL_CERT_FILE");
  if (named === undefined || named === "") return undefined;
  const content = readText(named);
  return typeof content === "string" ? { file: named, content } : undefined;
}

function readText(file: string): string | Error {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

function createContext(authorities: Authorities | undefined): SecureContext {
  if (authorities === undefined) return createSecureContext();
  const { file, content } = authorities;
  if (typeof content !== "string") {
    throw failed("unreachable", `the certificates of authorities in ${file} cannot be read (${content.message})`, content);
  }
  if (!content.includes("-----BEGIN")) {
    throw failed("unreachable", `${file} holds no certificates of authorities; wanted PEM: -----BEGIN CERTIFICATE----- …`);
  }
  try {
    return createSecureContext({ ca: content });
  } catch (cause) {
    throw failed("unreachable", `the certificates of authorities in ${file} are broken`, cause);
  }
}
