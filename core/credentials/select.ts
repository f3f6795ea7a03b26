/** Which credential an attempt carries. A key goes to its deployment's origin only, a caller's login to its vendor only. */

import type { Credential, HeaderList } from "../../sdk/dialect.ts";
import { ProxyError } from "../../sdk/errors.ts";
import { hubDialect } from "../../sdk/hub/dialect.ts";
import type { Provider } from "../../sdk/provider.ts";
import type { Deployment } from "../routing/deployment.ts";
import { canonicalName, hasCredentialHeader, isPassThrough } from "../routing/deployment.ts";
import { type Token, TokenSourceError, type Tokens } from "./token-source.ts";

export type Selected =
  | { readonly source: "key"; readonly credential: Credential }
  /** The deployment's `extra_headers` hold it. */
  | { readonly source: "extra headers" }
  | { readonly source: "caller"; readonly headers: HeaderList }
  /** The provider signs by itself, with what the deployment or the machine holds. */
  | { readonly source: "provider" }
  /** A server of one's own that asks for none. */
  | { readonly source: "none" }
  | { readonly source: "token source"; readonly credential: Credential; readonly token: Token; readonly tokens: Tokens };

export interface Presented {
  /** Headers of the caller that carry a credential, verbatim. */
  readonly credentials: HeaderList;
  /** That the caller speaks. */
  readonly dialect: string;
  readonly tokenSources: ReadonlyMap<string, Tokens>;
}

/**
 * The deployment's key; else the caller's own credential, where it may go; else a token source of that vendor.
 *
 * @throws ProxyError 401 when there is none, saying where one could come from
 */
export async function selectCredential(deployment: Deployment, { credentials, dialect, tokenSources }: Presented): Promise<Selected> {
  if (deployment.apiKey !== undefined) return { source: "key", credential: { form: "api-key", value: deployment.apiKey } };
  if (hasCredentialHeader(deployment)) return { source: "extra headers" };
  if (deployment.provider?.sign !== undefined) return { source: "provider" };
  const { provider } = deployment;
  const url = URL.parse(deployment.apiBase);
  const own = url !== null && provider?.ownsUrl(url) === true;
  const tokens = own && provider !== undefined ? tokenSources.get(canonicalName(provider)) : undefined;
  if (own || deployment.forwardClientAuth) {
    const usable = own && (tokens !== undefined || !isOfTheHub(deployment, dialect)) ? credentials.filter(isOf(provider)) : credentials;
    if (usable.length > 0) return { source: "caller", headers: usable };
  }
  if (tokens !== undefined) return fromSource(tokens);
  if (deployment.keyOptional) return { source: "none" };
  throw new ProxyError(missingCredential(deployment, own), {
    status: 401,
    kind: "authentication_error",
    headers: { "x-should-retry": "false" },
  });
}

/**
 * A caller of the hub's vendor means its own vendor, whatever its key looks like. Anywhere else a credential must have
 * the vendor's shape: a login of one vendor is not for another, though a request may well be.
 */
function isOfTheHub({ provider, question }: Deployment, dialect: string): boolean {
  return dialect === hubDialect && provider?.dialects(question, "generate").includes(hubDialect) === true;
}

/** An SDK that must send some key sends a placeholder, which is nobody's. */
function isOf(provider: Provider | undefined): (header: readonly [string, string]) => boolean {
  return ([, value]) => provider?.isCredential?.(withoutScheme(value)) === true;
}

async function fromSource(tokens: Tokens): Promise<Selected> {
  try {
    const token = await tokens.get();
    const { userAgent } = tokens;
    const credential: Credential = { form: "bearer", value: token.value, ...(userAgent === undefined ? {} : { userAgent }) };
    return { source: "token source", credential, token, tokens };
  } catch (error) {
    if (!(error instanceof TokenSourceError)) throw error;
    throw new ProxyError(`No credential for this request: ${error.message}.`, {
      status: 401,
      kind: "authentication_error",
      headers: { "x-should-retry": "false" },
      cause: error,
    });
  }
}

function withoutScheme(value: string): string {
  return /^bearer /i.test(value) ? value.slice(7).trim() : value;
}

function missingCredential(deployment: Deployment, own: boolean): string {
  const name = `${deployment.model} at ${deployment.apiBase} (deployment "${deployment.deploymentId}")`;
  const variables = deployment.provider?.keyVariables ?? [];
  const { withheldKeyVariable: withheld } = deployment;
  if (withheld !== undefined)
    return `No credential for ${name}: the key in ${withheld} is not sent to a host that is not the provider's own. If it belongs there, write api_key: os.environ/${withheld}.`;
  if (variables.length > 0 && !isPassThrough(deployment)) {
    return `No credential for ${name}: give it an api_key in config.yaml, or set ${variables.join(" or ")}.`;
  }
  return own
    ? `No credential for ${name}: the request carries none, and neither an api_key nor an oat_sources entry is configured for it.`
    : `No credential for ${name}: give it an api_key in config.yaml. The caller's own credential is not sent to this host unless the deployment says forward_client_auth: true.`;
}
