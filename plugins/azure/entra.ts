/**
 * Tokens of Microsoft Entra for a client with a secret, or with a token of another system. Written from
 * https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow.
 */

import { readFile } from "node:fs/promises";

import { record, text } from "../../sdk/hub/json.ts";
import type { Json } from "../../sdk/body.ts";
import type { Variables } from "../../sdk/provider.ts";

type Params = Readonly<Record<string, unknown>>;

/** A client of a tenant and what it proves itself with. */
export interface Client {
  readonly tenant: string;
  readonly id: string;
  readonly proof: { readonly secret: string } | { readonly assertionFile: string };
  readonly authority: string;
  readonly scope: string;
}

export interface Token {
  readonly value: string;
  /** Milliseconds since 1970. */
  readonly expiresAt: number;
}

const defaultScope = "https://cognitiveservices.azure.com/.default";
const defaultAuthority = "https://login.microsoftonline.com";
const patienceMs = 30_000;
/** A token this close to its end is not given out: the request it goes with may take a while to arrive. */
const marginMs = 60_000;

/** Undefined where no client is configured. */
export function clientOf(params: Params, variables: Variables): Client | undefined {
  const get = (param: string, variable: string): string | undefined => textOf(params[param]) ?? textOf(variables(variable));
  const tenant = get("tenant_id", "AZURE_TENANT_ID");
  const id = get("client_id", "AZURE_CLIENT_ID");
  const secret = get("client_secret", "AZURE_CLIENT_SECRET");
  const assertionFile = get("azure_federated_token_file", "AZURE_FEDERATED_TOKEN_FILE");
  const proof = secret !== undefined ? { secret } : assertionFile !== undefined ? { assertionFile } : undefined;
  if (tenant === undefined || id === undefined || proof === undefined) return undefined;
  const authority = (get("azure_authority_host", "AZURE_AUTHORITY_HOST") ?? defaultAuthority).replace(/\/+$/, "");
  return { tenant, id, proof, authority, scope: get("azure_scope", "AZURE_SCOPE") ?? defaultScope };
}

/** Keeps one token a client, and asks once for all who wait. */
export function createTokens(
  fetchToken: (client: Client) => Promise<Token> = requestToken,
  now: () => number = Date.now,
): (client: Client) => Promise<string> {
  const tokens = new Map<string, Promise<Token>>();
  return async function tokenFor(client) {
    const key = JSON.stringify(client);
    const known = tokens.get(key);
    if (known !== undefined) {
      const token = await known.catch(() => undefined);
      if (token !== undefined && token.expiresAt - marginMs > now()) return token.value;
      // Whoever comes first renews it; the others find what it put there.
      if (tokens.get(key) !== known) return tokenFor(client);
    }
    const asked = fetchToken(client);
    tokens.set(key, asked);
    return (await asked).value;
  };
}

/** The server answered, and the answer was no. Its words name no secret. */
export class Refused extends Error {}

async function requestToken({ tenant, id, proof, authority, scope }: Client): Promise<Token> {
  const form = new URLSearchParams({ grant_type: "client_credentials", client_id: id, scope });
  if ("secret" in proof) form.set("client_secret", proof.secret);
  else {
    form.set("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer");
    form.set("client_assertion", (await readFile(proof.assertionFile, "utf8")).trim());
  }
  const response = await fetch(`${authority}/${encodeURIComponent(tenant)}/oauth2/v2.0/token`, {
    method: "POST",
    body: form,
    redirect: "error",
    signal: AbortSignal.timeout(patienceMs),
  });
  const answer = record(await response.json().then(asJson, () => undefined));
  const value = text(answer?.["access_token"]);
  if (response.ok && value !== undefined) return { value, expiresAt: Date.now() + Number(answer?.["expires_in"] ?? 0) * 1000 };
  // The first sentence says what is wrong; identifiers of the request follow.
  const said = text(answer?.["error_description"])?.split(/[\r\n]| Trace ID/)[0] ?? text(answer?.["error"]) ?? "";
  const message = `${new URL(authority).host} answered ${response.status}${said === "" ? "" : `: ${said}`}`;
  if (response.status < 500 && response.status !== 429) throw new Refused(message);
  throw new Error(message);
}

function asJson(value: unknown): Json {
  const json: Json = JSON.parse(JSON.stringify(value));
  return json;
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}
