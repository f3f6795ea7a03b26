/** Which deployments cannot be asked how they are, and what is known of them without. */

import type { Tokens } from "../credentials/token-source.ts";
import { type Deployment, canonicalName, hasCredentialHeader } from "../routing/deployment.ts";
import type { Finding } from "./finding.ts";

/** `model_info.mode` of what answers a message. */
const askedModes: ReadonlySet<unknown> = new Set([undefined, "chat", "completion", "responses"]);

/** Undefined for a deployment that can be asked. */
export function foundWithoutAsking(deployment: Deployment, tokenSources: ReadonlyMap<string, Tokens>): Finding | undefined {
  const { provider, providerName, problem, mockResponse, info, model, routing } = deployment;
  if (mockResponse !== undefined) return { state: "healthy" };
  if (provider === undefined) return { state: "unhealthy", status: undefined, error: `the provider "${providerName}" is not served` };
  if (problem !== undefined) return { state: "unhealthy", status: undefined, error: problem };
  if (!askedModes.has(info["mode"])) return unknown(`its mode is ${JSON.stringify(info["mode"])}; only chat models are asked`);
  if (model.includes("*") && routing.health.model === undefined)
    return unknown("it serves any model; model_info.health_check_model says which one to ask");
  if (takesCallersLogin(deployment, tokenSources)) return unknown("it is asked with the caller's own login only");
  return undefined;
}

/** Whether the only credential it could be asked with is a caller's. */
function takesCallersLogin(deployment: Deployment, tokenSources: ReadonlyMap<string, Tokens>): boolean {
  const { apiKey, provider, apiBase, forwardClientAuth, keyOptional } = deployment;
  if (apiKey !== undefined || hasCredentialHeader(deployment) || provider === undefined || provider.sign !== undefined) return false;
  const url = URL.parse(apiBase);
  const isOwn = url !== null && provider.ownsUrl(url);
  if (isOwn && tokenSources.has(canonicalName(provider))) return false;
  return (isOwn || forwardClientAuth) && !keyOptional;
}

function unknown(reason: string): Finding {
  return { state: "unknown", reason };
}
