/** A deployment that requests can be sent to: its configuration joined with the provider that serves it. */

import { createHash } from "node:crypto";

import { hubDialect } from "../../sdk/hub/dialect.ts";
import type { ModelQuestion, Provider, Variables } from "../../sdk/provider.ts";
import type { ModelFacts, Target } from "../../sdk/wire.ts";
import { type RoutingParams, defaultRouting } from "../config/router-types.ts";
import type { DeploymentConfig, Timeouts } from "../config/types.ts";
import { lookUpDeployment } from "../models/look-up.ts";
import { findProvider, providerOfHost } from "./find-provider.ts";
import { findSettings } from "./provider-settings.ts";

export interface Deployment extends Target {
  /** Undefined when no plugin of this build serves it: such a deployment is listed, never called. */
  readonly provider: Provider | undefined;
  /** With the model as it was written: prefixes may say which of the provider's ways is meant. */
  readonly question: ModelQuestion;
  /** Why no request can be sent to it, in words; undefined where nothing is known to be in the way. */
  readonly problem: string | undefined;
  readonly apiKey: string | undefined;
  /** Name of the variable that holds the key, where the configuration does not. */
  readonly keyVariable: string | undefined;
  /** Name of a variable whose key is not sent: the host is not the provider's own. */
  readonly withheldKeyVariable: string | undefined;
  /** Requests go without a key where none is known. */
  readonly keyOptional: boolean;
  readonly mockResponse: string | undefined;
  readonly forwardClientAuth: boolean;
  readonly extraHeaders: Readonly<Record<string, string>>;
  readonly timeouts: Timeouts;
  readonly routing: RoutingParams;
  /** Names what is behind one key of one host, without telling the key: what a limit of the account holds for. */
  readonly account: string;
  /** `model_info`, as written. */
  readonly info: Readonly<Record<string, unknown>>;
}

/** What deployments are made with. */
export interface DeploymentContext {
  readonly providers: readonly Provider[];
  readonly variables: Variables;
}

/** Joins one entry of `model_list` with its provider. */
export function createDeployment(config: DeploymentConfig, { providers, variables }: DeploymentContext): Deployment {
  const { info, apiBase: written } = config;
  const found = findProvider({ model: config.model, explicit: config.provider, apiBase: written }, providers);
  const provider = found.provider === undefined ? undefined : (hostOf(found.provider, written, providers) ?? found.provider);
  const params = withVariables(config.params, provider, variables);
  const question: ModelQuestion = { model: found.model, apiBase: written, params, info };
  const settings = provider === undefined ? undefined : findSettings(provider, { question, apiKey: config.apiKey }, variables);
  const apiKey = settings === undefined ? config.apiKey : settings.apiKey;
  const described = describeTarget(provider, provider === undefined ? found.name : canonicalName(provider), {
    ...question,
    apiBase: settings?.apiBase ?? written ?? "",
  });
  return {
    ...described,
    deploymentId: config.id,
    provider,
    problem: settings?.problem ?? (provider === undefined ? undefined : lackingAll(provider, question, variables)),
    apiKey,
    keyVariable: settings?.keyVariable,
    withheldKeyVariable: settings?.withheldKeyVariable,
    // Where no variable could hold a key, the credential is the caller's.
    keyOptional: settings?.keyOptional === true && (provider?.keyVariables !== undefined || provider?.keyOptional === true),
    mockResponse: config.mockResponse,
    forwardClientAuth: config.forwardClientAuth,
    extraHeaders: config.extraHeaders,
    timeouts: config.timeouts,
    routing: config.routing,
    account: accountOf(described.producer, apiKey),
    info,
  };
}

/** Short enough for a log; a key cannot be found from it. */
function accountOf(producer: string, apiKey: string | undefined): string {
  if (apiKey === undefined) return producer;
  return `${producer}#${createHash("sha256").update(`${producer}\n${apiKey}`).digest("hex").slice(0, 12)}`;
}

/** Of a provider that is known by name only: what it says to that. */
function lackingAll(provider: Provider, question: ModelQuestion, variables: Variables): string | undefined {
  const isServed = operations.some((operation) => provider.dialects(question, operation).length > 0);
  return isServed ? undefined : (provider.check?.(question, variables)[0] ?? `${canonicalName(provider)} is not served`);
}

const operations = ["generate", "embeddings"] as const;

/** What a variable says where the deployment says nothing. */
function withVariables(params: ModelQuestion["params"], provider: Provider | undefined, variables: Variables): ModelQuestion["params"] {
  const named = Object.entries(provider?.paramVariables ?? {}).flatMap(([param, names]) => {
    const value = params[param] === undefined ? names.map((name) => variables(name)).find((each) => each !== undefined) : undefined;
    return value === undefined ? [] : [[param, value] as const];
  });
  return named.length === 0 ? params : { ...params, ...Object.fromEntries(named) };
}

/** Another vendor's host that speaks the hub's dialect is known by its address, though the prefix says whose dialect it is. */
function hostOf(named: Provider, apiBase: string | undefined, providers: readonly Provider[]): Provider | undefined {
  const question: ModelQuestion = { model: "", apiBase, params: {}, info: {} };
  const speaksHub = (provider: Provider): boolean => provider.dialects(question, "generate").includes(hubDialect);
  if (apiBase === undefined || !speaksHub(named)) return undefined;
  const host = providerOfHost(apiBase, providers);
  return host !== undefined && speaksHub(host) ? host : undefined;
}

/** The same deployment asked for another model, as wildcards and hooks want it. */
export function withModel(deployment: Deployment, model: string): Deployment {
  if (model === deployment.model || model === deployment.question.model) return deployment;
  const { provider, providerName, apiBase, params, info } = deployment;
  return { ...deployment, ...describeTarget(provider, providerName, { model, apiBase, params, info }) };
}

type Described = Omit<Target, "deploymentId"> & Pick<Deployment, "question">;

function describeTarget(
  provider: Provider | undefined,
  providerName: string,
  question: ModelQuestion & { readonly apiBase: string },
): Described {
  const { apiBase, params, info } = question;
  const model = provider?.modelId?.(question.model) ?? question.model;
  return {
    providerName,
    question,
    model,
    apiBase,
    params,
    modelFacts: readModelFacts(info, { ...lookUpDeployment({ providerName, model, info }).facts, ...provider?.modelFacts?.(model) }),
    quirks: provider?.quirks?.(question) ?? {},
    producer: `${providerName}@${URL.parse(apiBase)?.host ?? apiBase}`,
  };
}

/** `model_info` has the last word. */
function readModelFacts(info: Readonly<Record<string, unknown>>, known: Partial<ModelFacts>): ModelFacts {
  return {
    contextWindow: number(info["max_input_tokens"]) ?? known.contextWindow,
    maxOutputTokens: number(info["max_output_tokens"]) ?? number(info["max_tokens"]) ?? known.maxOutputTokens,
    images: flag(info["supports_vision"]) ?? known.images,
    documents: flag(info["supports_pdf_input"]) ?? known.documents,
    tools: flag(info["supports_function_calling"]) ?? known.tools,
    reasoning: flag(info["supports_reasoning"]) ?? known.reasoning,
  };
}

function number(value: unknown): number | undefined {
  return typeof value === "number" && value > 0 ? value : undefined;
}

function flag(value: unknown): boolean | undefined {
  return typeof value === "boolean" ? value : undefined;
}

/** Whether `extra_headers` hold the deployment's credential: it needs no other, and gets none of a caller's. */
export function hasCredentialHeader({ extraHeaders }: Deployment): boolean {
  return ["authorization", "x-api-key", "api-key", "x-goog-api-key"].some((name) => Object.hasOwn(extraHeaders, name));
}

/** The deployment that stands in for a vendor's own model nobody configured: the vendor's host, the caller's credential. */
export function createPassThrough(model: string, provider: Provider, timeouts: Timeouts): Deployment {
  const name = canonicalName(provider);
  return {
    ...describeTarget(provider, name, { model, apiBase: provider.defaultApiBase ?? "", params: {}, info: {} }),
    deploymentId: `${passThroughPrefix}${name}`,
    provider,
    problem: undefined,
    apiKey: undefined,
    keyVariable: undefined,
    withheldKeyVariable: undefined,
    keyOptional: false,
    mockResponse: undefined,
    forwardClientAuth: false,
    extraHeaders: {},
    timeouts,
    routing: defaultRouting,
    account: accountOf(name, undefined),
    info: {},
  };
}

export function isPassThrough({ deploymentId }: Deployment): boolean {
  return deploymentId.startsWith(passThroughPrefix);
}

const passThroughPrefix = "pass-through:";

export function canonicalName(provider: Provider): string {
  return provider.names[0] ?? "unknown";
}
