/**
 * Google AI Studio, the Gemini API: https://ai.google.dev/api, keys https://ai.google.dev/gemini-api/docs/api-key.
 * The key travels in a header: in an address it would stand in logs.
 */

import type { Credential, HeaderList, Operation } from "../../sdk/dialect.ts";
import { ProxyError } from "../../sdk/errors.ts";
import { plainHeaders } from "../../sdk/hub/foreign-headers.ts";
import type { Addressed, Outbound, Provider } from "../../sdk/provider.ts";
import type { ModelFacts, Target } from "../../sdk/wire.ts";
import { familyOf } from "./families.ts";
import { readPath } from "./paths.ts";
import type { WireMethod } from "./wire.ts";

const vendorHost = "generativelanguage.googleapis.com";

export const provider: Provider = {
  names: ["gemini"],
  hosts: [vendorHost],
  defaultApiBase: `https://${vendorHost}`,
  baseVariables: ["GEMINI_API_BASE"],
  keyVariables: ["GEMINI_API_KEY", "GOOGLE_API_KEY"],
  dialects: (_question, operation) => (operation === "embeddings" ? [] : ["gemini"]),
  quirks: () => ({ gemini: { fileUrls: true, mixedTools: true } }),
  modelFacts,
  address,
  authorize,
  ownsUrl: (url) =>
    url.protocol === "https:" && url.hostname === vendorHost && url.port === "" && url.username === "" && url.password === "",
  isCredential: (value) => /^(?:AIza|AQ\.)/.test(value) || isToken(value),
};

/** https://ai.google.dev/gemini-api/docs/models; a catalog may know better. */
function modelFacts(model: string): Partial<ModelFacts> {
  if (!/gemini-/.test(model)) return {};
  const { isModern, thinking } = familyOf(model);
  return {
    contextWindow: 1_048_576,
    maxOutputTokens: isModern ? 65_536 : 8192,
    images: true,
    documents: true,
    tools: true,
    reasoning: thinking !== undefined,
  };
}

function address(request: Addressed, target: Target): Outbound {
  return {
    url: `${versionedBase(target.apiBase)}/${resourceOf(target.model)}:${methodOf(request)}${queryOf(request)}`,
    headers: [...plainHeaders(request.headers), ...request.headers.filter(([name]) => name === "x-goog-api-client")],
    body: request.body.bytes,
  };
}

/** People write the base with and without the API's version; both mean the same. */
function versionedBase(apiBase: string): string {
  const base = new URL(apiBase);
  const path = base.pathname.replace(/\/+$/, "");
  return `${base.origin}${path}${/\/v\d+(?:alpha|beta)?\d*$/.test(path) ? "" : "/v1beta"}`;
}

/** Tuned models have a collection of their own. A name must not lead to another resource: clients choose it where a deployment takes any. */
function resourceOf(model: string): string {
  const resource = /^(?:models|tunedModels)\//.test(model) ? model : `models/${model}`;
  const segments = resource.split("/");
  if (segments.some((segment) => segment === "" || segment === "." || segment === "..")) {
    throw new ProxyError("model: found a name that is a path, wanted one of a model", { status: 400, kind: "invalid_request_error" });
  }
  return segments.map(encodeURIComponent).join("/");
}

function methodOf({ operation, stream }: { readonly operation: Operation; readonly stream: boolean }): WireMethod {
  if (operation === "count_tokens") return "countTokens";
  return stream ? "streamGenerateContent" : "generateContent";
}

/** A client of this dialect gets the upstream's bytes, so that they must come in the form it asked for. */
function queryOf(request: Addressed): string {
  if (!request.stream || request.operation !== "generate") return "";
  const isOwnClient = readPath(request.path) !== undefined;
  return isOwnClient && new URLSearchParams(request.search).get("alt") !== "sse" ? "" : "?alt=sse";
}

function authorize(headers: HeaderList, credential: Credential): HeaderList {
  if (credential.form === "bearer" && isToken(credential.value)) return [...headers, ["authorization", `Bearer ${credential.value}`]];
  return [...headers, ["x-goog-api-key", credential.value]];
}

/** Of a login, as opposed to a key. */
function isToken(value: string): boolean {
  return value.startsWith("ya29.");
}
