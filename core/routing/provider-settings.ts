/** Where a provider is reached and with which key, for one deployment: what the deployment says, else variables, else the provider. Pure. */

import { matchHost } from "../../sdk/hub/host-match.ts";
import type { ModelQuestion, Provider, Variables } from "../../sdk/provider.ts";

export interface ProviderSettings {
  /** Without a trailing slash; empty where there is a problem. */
  readonly apiBase: string;
  /** Name of the variable that holds the base, where it came from one. */
  readonly baseVariable: string | undefined;
  readonly apiKey: string | undefined;
  /** Name of the variable that holds the key, where it came from one. */
  readonly keyVariable: string | undefined;
  /** Name of a variable whose key stays here: the deployment's host is not the provider's own. */
  readonly withheldKeyVariable: string | undefined;
  /** Whether requests go without a key, where none is known. */
  readonly keyOptional: boolean;
  /** Why there is no base, in words. */
  readonly problem: string | undefined;
}

export interface SettingsQuery {
  readonly question: ModelQuestion;
  /** `litellm_params.api_key`. */
  readonly apiKey: string | undefined;
}

export function findSettings(provider: Provider, { question, apiKey }: SettingsQuery, variables: Variables): ProviderSettings {
  const base = findBase(provider, question, variables);
  const keyVariable = apiKey === undefined ? provider.keyVariables?.find((name) => isSet(variables(name))) : undefined;
  const mayGo = base.problem === undefined && isTrusted(provider, question);
  const key = apiKey ?? (keyVariable !== undefined && mayGo ? variables(keyVariable)?.trim() : undefined);
  return {
    ...base,
    apiKey: key,
    keyVariable: mayGo ? keyVariable : undefined,
    withheldKeyVariable: mayGo || base.problem !== undefined ? undefined : keyVariable,
    keyOptional: provider.keyOptional === true || isOwnMachine(base.apiBase),
    problem: base.problem,
  };
}

interface FoundBase {
  readonly apiBase: string;
  readonly baseVariable: string | undefined;
  readonly problem: string | undefined;
}

function findBase(provider: Provider, question: ModelQuestion, variables: Variables): FoundBase {
  const said = (apiBase: string, baseVariable?: string): FoundBase => ({
    apiBase: withoutSlashes(apiBase),
    baseVariable,
    problem: undefined,
  });
  const missing = (problem: string): FoundBase => ({ apiBase: "", baseVariable: undefined, problem });
  if (question.apiBase !== undefined) return said(question.apiBase);
  for (const name of provider.baseVariables ?? []) {
    const value = variables(name)?.trim();
    if (!isSet(value)) continue;
    const url = URL.parse(value);
    if (url?.protocol === "https:" || url?.protocol === "http:") return said(value, name);
    return missing(`the variable ${name} is no http or https URL`);
  }
  if (provider.defaultApiBase !== undefined) return said(provider.defaultApiBase);
  try {
    const made = provider.apiBase?.(question, variables) ?? "";
    if (made !== "") return said(made);
  } catch (error) {
    return missing(error instanceof Error ? error.message : String(error));
  }
  const ways = ["api_base in litellm_params", ...(provider.baseVariables ?? []).map((name) => `the variable ${name}`)];
  return missing(`every customer of ${provider.names[0] ?? "this provider"} has another address; set ${ways.join(" or ")}`);
}

/**
 * Whether a key that nobody wrote into the deployment may go where it points: a vendor's key to the vendor's hosts, that
 * of a server of one's own, whose address nobody but the deployment knows, to that address, and any to this machine.
 */
function isTrusted(provider: Provider, { apiBase }: ModelQuestion): boolean {
  // The provider's own, or that of a variable that stands beside the key's.
  if (apiBase === undefined || provider.defaultApiBase === undefined) return true;
  const url = URL.parse(apiBase);
  // Which of a vendor's APIs is meant does not matter here.
  const own = [new URL(provider.defaultApiBase).host, ...(provider.hosts ?? []).map((host) => host.split("/", 1)[0] ?? host)];
  return url !== null && (isOwnMachine(apiBase) || own.some((host) => matchHost(url, host) > 0));
}

function isOwnMachine(apiBase: string): boolean {
  const hostname = URL.parse(apiBase)?.hostname;
  return hostname === "localhost" || hostname === "[::1]" || (hostname !== undefined && /^127(\.\d+){3}$/.test(hostname));
}

function isSet(value: string | undefined): value is string {
  return value !== undefined && value.trim() !== "";
}

function withoutSlashes(url: string): string {
  let end = url.length;
  while (url[end - 1] === "/") end -= 1;
  return url.slice(0, end);
}
