/** A deployment that requests can be sent to: its configuration joined with the provider that serves it. */

import type { ModelQuestion, Provider, Variables } from "../../sdk/provider.ts";
import type { ModelFacts, Target } from "../../sdk/wire.ts";
import type { DeploymentConfig, Timeouts } from "../config/types.ts";

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
  readonly mockResponse: string | undefined;
  readonly forwardClientAuth: boolean;
  readonly extraHeaders: Readonly<Record<string, string>>;
  readonly timeouts: Timeouts;
  /** `model_info`, as written. */
  readonly info: Readonly<Record<string, unknown>>;
}

export const defaultTimeouts: Timeouts = { connectMs: 10_000, headersMs: 600_000, idleMs: 300_000 };

/** What deployments are made with. */
export interface DeploymentContext {
  readonly providers: readonly Provider[];
  readonly variables: Variables;
}

/** Joins one entry of `model_list` with its provider. */
export function createDeployment(config: DeploymentConfig, { providers, variables }: DeploymentContext): Deployment {
  const { provider, name, model } = findProvider(config.model, config.provider, providers);
  const { apiBase: written, params, info } = config;
  const question: ModelQuestion = { model, apiBase: written, params, info };
  const { apiBase, problem } = provider === undefined ? { apiBase: written ?? "" } : findBase(provider, question, variables);
  const keyVariable = config.apiKey === undefined ? provider?.keyVariables?.find((each) => variables(each) !== undefined) : undefined;
  return {
    ...describeTarget(provider, name, { ...question, apiBase }),
    deploymentId: config.id,
    provider,
    problem,
    apiKey: config.apiKey ?? (keyVariable === undefined ? undefined : variables(keyVariable)),
    keyVariable,
    mockResponse: config.mockResponse,
    forwardClientAuth: config.forwardClientAuth,
    extraHeaders: config.extraHeaders,
    timeouts: config.timeouts,
    info,
  };
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
    modelFacts: readModelFacts(info, provider?.modelFacts?.(model)),
    quirks: provider?.quirks?.(question) ?? {},
    producer: `${providerName}@${URL.parse(apiBase)?.host ?? apiBase}`,
  };
}

/** `model_info` has the last word. */
function readModelFacts(info: Readonly<Record<string, unknown>>, known: Partial<ModelFacts> | undefined): ModelFacts {
  return {
    contextWindow: number(info["max_input_tokens"]) ?? known?.contextWindow,
    maxOutputTokens: number(info["max_output_tokens"]) ?? number(info["max_tokens"]) ?? known?.maxOutputTokens,
    images: flag(info["supports_vision"]) ?? known?.images,
    documents: flag(info["supports_pdf_input"]) ?? known?.documents,
    tools: flag(info["supports_function_calling"]) ?? known?.tools,
    reasoning: flag(info["supports_reasoning"]) ?? known?.reasoning,
  };
}

function number(value: unknown): number | undefined {
  return typeof value === "number" && value > 0 ? value : undefined;
}

function flag(value: unknown): boolean | undefined {
  return typeof value === "boolean" ? value : undefined;
}

interface FoundBase {
  readonly apiBase: string;
  readonly problem?: string | undefined;
}

/** What the deployment says, then a variable, then the provider itself. */
function findBase(provider: Provider, question: ModelQuestion, variables: Variables): FoundBase {
  if (question.apiBase !== undefined) return { apiBase: question.apiBase };
  for (const name of provider.baseVariables ?? []) {
    const value = variables(name);
    if (value === undefined) continue;
    const url = URL.parse(value);
    if (url !== null && (url.protocol === "https:" || url.protocol === "http:")) return { apiBase: value.trim().replace(/\/+$/, "") };
    return { apiBase: "", problem: `the variable ${name} is no http or https URL` };
  }
  if (provider.defaultApiBase !== undefined) return { apiBase: provider.defaultApiBase };
  try {
    const apiBase = provider.apiBase?.(question, variables) ?? "";
    if (apiBase !== "") return { apiBase };
  } catch (error) {
    return { apiBase: "", problem: error instanceof Error ? error.message : String(error) };
  }
  const ways = ["api_base in litellm_params", ...(provider.baseVariables ?? []).map((name) => `the variable ${name}`)];
  return { apiBase: "", problem: `every customer of ${canonicalName(provider)} has another address; set ${ways.join(" or ")}` };
}

/** Whether `extra_headers` hold the deployment's credential: it needs no other, and gets none of a caller's. */
export function hasCredentialHeader({ extraHeaders }: Deployment): boolean {
  return ["authorization", "x-api-key", "api-key", "x-goog-api-key"].some((name) => Object.hasOwn(extraHeaders, name));
}

/** The deployment that stands in for a vendor's own model nobody configured: the vendor's host, the caller's credential. */
export function createPassThrough(model: string, provider: Provider): Deployment {
  const name = canonicalName(provider);
  return {
    ...describeTarget(provider, name, { model, apiBase: provider.defaultApiBase ?? "", params: {}, info: {} }),
    deploymentId: `${passThroughPrefix}${name}`,
    provider,
    problem: undefined,
    apiKey: undefined,
    keyVariable: undefined,
    mockResponse: undefined,
    forwardClientAuth: false,
    extraHeaders: {},
    timeouts: defaultTimeouts,
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
    const recognising = providers.find((candidate) => candidate.recognises?.(model));
    if (recognising !== undefined) return { provider: recognising, name: canonicalName(recognising), model };
  }
  return { provider: undefined, name: named ?? "unknown", model };
}
