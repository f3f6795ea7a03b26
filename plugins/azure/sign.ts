/** Adds a token of Entra where a deployment has no key: one that was given, or one that is asked for. */

import { ProxyError } from "../../sdk/errors.ts";
import type { Outbound, Variables } from "../../sdk/provider.ts";
import type { Target } from "../../sdk/wire.ts";
import { type Client, Refused, clientOf, createTokens } from "./entra.ts";

export type Sign = (outbound: Outbound, target: Target, variables: Variables) => Promise<Outbound>;

export function createSign(tokenFor: (client: Client) => Promise<string> = createTokens()): Sign {
  return async function sign(outbound, target, variables) {
    const given = target.params["azure_ad_token"] ?? variables("AZURE_AD_TOKEN");
    const token = typeof given === "string" && given !== "" ? given : await ask(target, variables, tokenFor);
    return { ...outbound, headers: [...outbound.headers, ["authorization", `Bearer ${token}`]] };
  };
}

async function ask(target: Target, variables: Variables, tokenFor: (client: Client) => Promise<string>): Promise<string> {
  const client = clientOf(target.params, variables);
  if (client === undefined) {
    const looked = "api_key (AZURE_API_KEY or AZURE_AI_API_KEY), azure_ad_token (AZURE_AD_TOKEN)";
    const more =
      "tenant_id, client_id and client_secret (AZURE_TENANT_ID, AZURE_CLIENT_ID, AZURE_CLIENT_SECRET), AZURE_FEDERATED_TOKEN_FILE";
    throw refusal(`No Azure credentials for deployment "${target.deploymentId}". Looked at ${looked}, ${more}.`);
  }
  try {
    return await tokenFor(client);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    if (error instanceof Refused || isMissingFile(error)) {
      throw refusal(`Entra gave deployment "${target.deploymentId}" no token: ${reason}`, error);
    }
    const text = `Entra could not be reached for deployment "${target.deploymentId}": ${reason}`;
    throw new ProxyError(text, { status: 502, kind: "api_error", cause: error });
  }
}

function refusal(message: string, cause?: unknown): ProxyError {
  return new ProxyError(message, { status: 401, kind: "authentication_error", headers: { "x-should-retry": "false" }, cause });
}

function isMissingFile(error: unknown): boolean {
  return error instanceof Error && "code" in error && (error.code === "ENOENT" || error.code === "EACCES");
}
