/** Azure: OpenAI's models under a customer's own names, and Foundry's models of other vendors, Claude among them. */

import type { HeaderList } from "../../sdk/dialect.ts";
import { authorized, foreignMessagesHeaders, plainHeaders } from "../../sdk/hub/foreign-headers.ts";
import { forForeignHost } from "../../sdk/hub/foreign-messages.ts";
import { supportsMidSystem } from "../../sdk/hub/mid-system.ts";
import { type Plugin, definePlugin } from "../../sdk/plugin.ts";
import type { Addressed, ModelQuestion, Outbound, Provider, Variables } from "../../sdk/provider.ts";
import type { MessagesQuirks, Quirks } from "../../sdk/quirks.ts";
import type { Target } from "../../sdk/wire.ts";
import { type Endpoint, type Wanted, claudeUrl, foundryUrl, isResourceHost, openaiUrl } from "./endpoint.ts";
import { type Sign, createSign } from "./sign.ts";
import { baseModel, deploymentOf, isClaude, openaiDialects, reasons, versionOf } from "./models.ts";

/** Known to Foundry's Claude, see https://docs.litellm.ai/docs/tutorials/claude_code_beta_headers. */
const betas: readonly string[] = [
  "advanced-tool-use-2025-11-20",
  "code-execution-2025-08-25",
  "computer-use-2025-01-24",
  "computer-use-2025-11-24",
  "context-1m-2025-08-07",
  "context-management-2025-06-27",
  "dangerous-tool-use-2026-09-03",
  "effort-2025-11-24",
  "files-api-2025-04-14",
  "interleaved-thinking-2025-05-14",
  "mcp-client-2025-04-04",
  "mcp-client-2025-11-20",
  "per-turn-control-2026-07-01",
  "skills-2025-10-02",
  "structured-outputs-2025-11-13",
  "thinking-display-updates-2026-08-18",
  "web-fetch-2025-09-10",
  "web-search-2025-03-05",
];

const anthropicVersion = "2023-06-01";

function azureProvider(sign: Sign): Provider {
  return {
    ...shared(sign, "AZURE_API_BASE", "https://<resource>.openai.azure.com"),
    names: ["azure"],
    paramVariables: { api_version: ["AZURE_API_VERSION"] },
    keyVariables: ["AZURE_API_KEY", "AZURE_OPENAI_API_KEY"],
    dialects: openaiDialects,
    quirks: () => openaiQuirks("max_completion_tokens"),
    address: (request, target) => ({
      url: openaiUrl(endpointOf(request, target)),
      headers: plainHeaders(request.headers),
      body: request.body.edit([{ field: "model", value: target.model }]).bytes,
    }),
    authorize: (headers, credential) =>
      authorized(headers, credential, [credential.form === "bearer" ? bearer(credential.value) : ["api-key", credential.value]]),
  };
}

function foundryProvider(sign: Sign): Provider {
  return {
    ...shared(sign, "AZURE_AI_API_BASE", "https://<resource>.services.ai.azure.com"),
    names: ["azure_ai"],
    keyVariables: ["AZURE_AI_API_KEY"],
    dialects: foundryDialects,
    quirks: (question) =>
      isClaude(question) ? { messages: claudeQuirks(question) } : openaiQuirks(reasons(question) ? "max_completion_tokens" : "max_tokens"),
    address: (request, target) => (request.dialect === "anthropic" ? addressClaude(request, target) : addressFoundry(request, target)),
    // Hosts of one model each take the key as a token only, resources take it as such too; Claude takes it under its vendor's name.
    authorize: (headers, credential) => {
      const isClaudes = headers.some(([name]) => name === "anthropic-version");
      const isKey = credential.form === "api-key" && isClaudes;
      return authorized(headers, credential, [isKey ? ["x-api-key", credential.value] : bearer(credential.value)]);
    },
  };
}

function shared(sign: Sign, variable: string, example: string): Omit<Provider, "names" | "dialects" | "address" | "authorize"> {
  return {
    defaultApiBase: undefined,
    baseVariables: [variable],
    apiBase() {
      throw new Error(`every customer of Azure has another address: set api_base or ${variable} to ${example}`);
    },
    modelId: deploymentOf,
    check: (question, variables) => [...baseFaults(question, variables, variable)],
    sign,
    ownsUrl: (url) =>
      url.protocol === "https:" && url.port === "" && url.username === "" && url.password === "" && isResourceHost(url.hostname),
    // Keys of Azure have no shape of their own that a caller's could be told by.
    isCredential: () => false,
  };
}

/** As OpenAI has it, but for `context_management`, which it does not know. */
function openaiQuirks(maxTokensField: "max_tokens" | "max_completion_tokens"): Quirks {
  return {
    chat: { maxTokensField, promptCacheKey: true },
    responses: { encryptedReasoning: true, promptCacheKey: true, webSearch: false, documents: true, refused: ["context_management"] },
  };
}

function foundryDialects(question: ModelQuestion, operation: Addressed["operation"]): readonly string[] {
  if (isClaude(question)) return operation === "embeddings" ? [] : ["anthropic"];
  const host = URL.parse(question.apiBase ?? "")?.hostname;
  const isOfOneModel = host !== undefined && !isResourceHost(host);
  if (!isOfOneModel) return openaiDialects(question, operation);
  return operation === "count_tokens" ? [] : ["openai-chat"];
}

function claudeQuirks(question: Pick<ModelQuestion, "model"> & Partial<Pick<ModelQuestion, "info">>): MessagesQuirks {
  const model = baseModel(question.info) || question.model;
  return { betas, midSystem: supportsMidSystem(model), refused: ["tags", "safeguards"] };
}

function addressClaude(request: Addressed, target: Target): Outbound {
  const quirks = target.quirks.messages ?? claudeQuirks({ model: target.model });
  const body = forForeignHost(request.body, quirks, () => {}).edit([{ field: "model", value: target.model }]);
  return {
    url: claudeUrl(endpointOf(request, target)),
    headers: foreignMessagesHeaders(request.headers, { quirks, version: anthropicVersion }),
    body: body.bytes,
  };
}

function addressFoundry(request: Addressed, target: Target): Outbound {
  return {
    url: foundryUrl(endpointOf(request, target)),
    headers: plainHeaders(request.headers),
    body: request.body.edit([{ field: "model", value: target.model }]).bytes,
  };
}

function endpointOf(request: Addressed, { apiBase, model, params }: Target): Endpoint {
  return { base: apiBase, wanted: wantedOf(request), model, version: versionOf({ params }) };
}

function wantedOf({ dialect, operation }: Addressed): Wanted {
  if (dialect === "anthropic") return operation === "count_tokens" ? "messages/count_tokens" : "messages";
  if (operation === "embeddings") return "embeddings";
  return dialect === "openai-responses" ? "responses" : "chat/completions";
}

function bearer(value: string): HeaderList[number] {
  return ["authorization", `Bearer ${value}`];
}

function* baseFaults({ apiBase }: ModelQuestion, variables: Variables, variable: string): Generator<string> {
  const base = apiBase ?? variables(variable);
  if (base === undefined || base === "") yield `has no address: every customer of Azure has another one; set api_base or ${variable}`;
  else if (URL.parse(base) === null) yield `api_base "${base}" is no URL`;
}

export const azure: Plugin = definePlugin({
  name: "azure",
  setup() {
    const sign = createSign();
    return { providers: [azureProvider(sign), foundryProvider(sign)] };
  },
});
