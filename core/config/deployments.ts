/** Reads `model_list` of config.yaml. */

import { readAccounts, withAccount } from "./accounts.ts";
import { checkKeys, checkMapping, type KnownKeys } from "./check.ts";
import { createIds } from "./deployment-id.ts";
import { describeValue } from "./describe.ts";
import { readExtraHeaders } from "./extra-headers.ts";
import { laterParamPatterns, laterParams } from "./later-keys.ts";
import type { Report } from "./report.ts";
import { deploymentSchema, paramsSchema, type ParamsKeys } from "./schema-litellm.ts";
import { readRouting } from "./routing-params.ts";
import { healthInfoSchema, routingSchema, timeoutSchema } from "./schema-routing.ts";
import { infoSchema, outgoingSchema, providerSchema, spellings } from "./schema-params.ts";
import type { Settings } from "./settings.ts";
import { readTimeouts } from "./timeouts.ts";
import { isMapping, valueOf, within, type Place } from "./tree.ts";
import type { DeploymentConfig } from "./types.ts";

const acceptedLater = "is accepted, not yet in effect.";

const entryKeys: KnownKeys = {
  effective: Object.keys(deploymentSchema.shape),
};

const paramKeys: KnownKeys = {
  effective: [paramsSchema, routingSchema, timeoutSchema, outgoingSchema, providerSchema]
    .flatMap((schema) => Object.keys(schema.shape))
    .concat(spellings),
  later: laterParams,
  laterNote: (key) => (laterParams.includes(key) || laterParamPatterns.some((pattern) => pattern.test(key)) ? acceptedLater : undefined),
};

/** Of `litellm_params`, too, as LiteLLM takes them. */
const priceKey = /(^|_)cost(_|$)/;

interface Reading {
  /** What the other sections say for all deployments. */
  readonly settings: Settings;
  /** Paths of keys already told of. */
  readonly told: Set<string>;
  readonly report: Report;
}

/** @param place of `model_list`, with references resolved */
export function readDeployments(place: Place, reading: Reading): readonly DeploymentConfig[] {
  const { report } = reading;
  const list = valueOf(place);
  if (list == null) return [];
  if (!Array.isArray(list)) {
    report.error(place, `is ${describeValue(list)}; wanted a list, each entry beginning with "- model_name:".`);
    return [];
  }
  const idFor = createIds(report);
  return list.map((_, index) => readDeployment(within(place, index), idFor, reading)).filter((deployment) => deployment !== undefined);
}

function readDeployment(
  place: Place,
  idFor: ReturnType<typeof createIds>,
  { settings, told, report }: Reading,
): DeploymentConfig | undefined {
  checkKeys(place, entryKeys, { unknown: "warning", told }, report);
  const entry = checkMapping(place, deploymentSchema, report);
  if (entry === undefined) return undefined;
  const paramsPlace = within(place, "litellm_params");
  const params = checkMapping(paramsPlace, paramsSchema, report);
  if (params === undefined) return undefined;
  const written = asMapping(valueOf(paramsPlace));
  const prices = pricesOf(written);
  const known = { ...paramKeys, effective: [...paramKeys.effective, ...Object.keys(prices)] };
  checkKeys(paramsPlace, known, { unknown: "warning", told }, report);
  const routing = checkMapping(paramsPlace, routingSchema, report) ?? {};
  const timeouts = checkMapping(paramsPlace, timeoutSchema, report) ?? {};
  const checked = [
    params,
    routing,
    timeouts,
    checkMapping(paramsPlace, outgoingSchema, report),
    checkMapping(paramsPlace, providerSchema, report),
  ];
  const infoPlace = within(place, "model_info");
  const info = entry.model_info === undefined ? {} : checkMapping(infoPlace, infoSchema, report);
  const healthInfo = (entry.model_info === undefined ? undefined : checkMapping(infoPlace, healthInfoSchema, report)) ?? {};
  const extraHeaders = readExtraHeaders(within(paramsPlace, "extra_headers"), report);
  const accounts = readAccounts(paramsPlace, report);
  const apiBase = readApiBase(paramsPlace, params, report);
  if (entry.model_name === undefined || params.model === undefined) return undefined;
  const allParams = {
    ...(settings.litellm.use_chat_completions_url_for_anthropic_messages === true ? { use_chat_completions_api: true } : {}),
    ...written,
    ...checked.reduce(merged, {}),
  };
  return {
    id: idFor(place, entry.model_info?.["id"]),
    group: entry.model_name,
    model: params.model,
    provider: params.custom_llm_provider,
    apiBase,
    apiKey: accounts[0].apiKey,
    accounts: accounts.length > 1 ? accounts : [],
    mockResponse: params.mock_response,
    forwardClientAuth: params.forward_client_auth ?? false,
    extraHeaders,
    timeouts: readTimeouts(timeouts, settings.router, { timeout: settings.litellm.request_timeout }),
    routing: readRouting({ entry, params: routing, info: healthInfo, router: settings.router }),
    params: accounts.length > 1 ? allParams : withAccount(allParams, accounts[0]),
    info: { ...prices, ...entry.model_info, ...defined(info), ...defined(healthInfo) },
    location: place.tree.locate(place.path),
  };
}

/** What the schemas made of a value stands in its place: `yes` became true, `"5"` became 5. */
function merged(values: Readonly<Record<string, unknown>>, checked: object | undefined): Readonly<Record<string, unknown>> {
  return { ...values, ...defined(checked) };
}

function defined(values: object | undefined): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(values ?? {}).filter(([, value]) => value !== undefined));
}

function pricesOf(params: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const prices = Object.entries(params).flatMap(([name, value]): [string, number][] => {
    const price = typeof value === "string" && value.trim() !== "" ? Number(value) : value;
    return priceKey.test(name) && typeof price === "number" && Number.isFinite(price) ? [[name, price]] : [];
  });
  return Object.fromEntries(prices);
}

function asMapping(value: unknown): Readonly<Record<string, unknown>> {
  return isMapping(value) ? value : {};
}

/** The base URL without its trailing slashes. */
function readApiBase(place: Place, params: Partial<ParamsKeys>, report: Report): string | undefined {
  const { api_base: apiBase, base_url: baseUrl } = params;
  if (apiBase !== undefined && baseUrl !== undefined && apiBase !== baseUrl) {
    report.warning({ ...within(place, "base_url"), part: "key" }, "has no effect beside api_base; remove one of them.");
  }
  const written = apiBase ?? baseUrl;
  if (written === undefined) return undefined;
  const at = within(place, apiBase === undefined ? "base_url" : "api_base");
  const url = URL.parse(written);
  if (url === null || (url.protocol !== "http:" && url.protocol !== "https:")) {
    report.error(at, "is no base URL; wanted e.g. https://api.anthropic.com.");
  } else if (url.username !== "" || url.password !== "") {
    report.error(at, "holds a user name or password; put credentials into api_key or extra_headers.");
  } else if (url.search !== "" || url.hash !== "") {
    report.error(at, "holds a ? or #; wanted a base URL, to which paths are added.");
  } else {
    return written.trim().replace(/\/+$/, "");
  }
  return undefined;
}
