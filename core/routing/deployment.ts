/** A deployment that requests can be sent to: its configuration joined with the provider that speaks its protocol. */

import type { Provider, Target } from "../../sdk/dialect.ts";
import type { DeploymentConfig, Timeouts } from "../config/types.ts";

export interface Deployment extends Target {
  /** Undefined when no dialect of this build speaks its protocol: such a deployment is listed, never called. */
  readonly provider: Provider | undefined;
  /** As written before the slash, or the recognising provider's name; `unknown` when nothing matched. */
  readonly providerName: string;
  readonly apiKey: string | undefined;
  readonly mockResponse: string | undefined;
  readonly forwardClientAuth: boolean;
  readonly extraHeaders: Readonly<Record<string, string>>;
  readonly timeouts: Timeouts;
  /** `model_info`, as written. */
  readonly info: Readonly<Record<string, unknown>>;
}

export const defaultTimeouts: Timeouts = { connectMs: 10_000, headersMs: 600_000, idleMs: 300_000 };

/** Joins one entry of `model_list` with its provider. */
export function createDeployment(config: DeploymentConfig, providers: readonly Provider[]): Deployment {
  const { provider, name, model } = findProvider(config.model, config.provider, providers);
  return {
    deploymentId: config.id,
    model,
    apiBase: config.apiBase ?? provider?.defaultApiBase ?? "",
    provider,
    providerName: name,
    apiKey: config.apiKey,
    mockResponse: config.mockResponse,
    forwardClientAuth: config.forwardClientAuth,
    extraHeaders: config.extraHeaders,
    timeouts: config.timeouts,
    info: config.info,
  };
}

/** Whether `extra_headers` hold the deployment's credential: it needs no other, and gets none of a caller's. */
export function hasCredentialHeader({ extraHeaders }: Deployment): boolean {
  return Object.hasOwn(extraHeaders, "authorization") || Object.hasOwn(extraHeaders, "x-api-key");
}

/** The deployment that stands in for a vendor's own model nobody configured: the vendor's host, the caller's credential. */
export function createPassThrough(model: string, provider: Provider): Deployment {
  const name = canonicalName(provider);
  return {
    deploymentId: `pass-through:${name}`,
    model,
    apiBase: provider.defaultApiBase,
    provider,
    providerName: name,
    apiKey: undefined,
    mockResponse: undefined,
    forwardClientAuth: false,
    extraHeaders: {},
    timeouts: defaultTimeouts,
    info: {},
  };
}

export function canonicalName(provider: Provider): string {
  return provider.names[0] ?? "unknown";
}

/** Splits `provider/model`; a name without a known prefix belongs to the provider that recognises it. */
export function findProvider(
  model: string,
  explicit: string | undefined,
  providers: readonly Provider[],
): { provider: Provider | undefined; name: string; model: string } {
  const slash = model.indexOf("/");
  const prefix = slash > 0 ? model.slice(0, slash) : undefined;
  const named = explicit ?? prefix;
  const provider = named === undefined ? undefined : providers.find((candidate) => candidate.names.includes(named));
  if (provider !== undefined && named !== undefined) {
    return { provider, name: named, model: prefix === named ? model.slice(slash + 1) : model };
  }
  if (explicit === undefined && prefix === undefined) {
    const recognising = providers.find((candidate) => candidate.recognises(model));
    if (recognising !== undefined) return { provider: recognising, name: canonicalName(recognising), model };
  }
  return { provider: undefined, name: named ?? "unknown", model };
}
