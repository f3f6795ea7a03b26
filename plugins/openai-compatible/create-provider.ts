/** Makes a provider out of a row of the table. */

import type { HeaderList } from "../../sdk/dialect.ts";
import { authorized, foreignMessagesHeaders } from "../../sdk/hub/foreign-headers.ts";
import type { Addressed, ModelQuestion, Provider, Variables } from "../../sdk/provider.ts";
import type { MessagesQuirks, Quirks } from "../../sdk/quirks.ts";
import type { Target } from "../../sdk/wire.ts";
import { dialectsOf, readModel } from "./dialects.ts";
import { endpoint, rootOf, type Operation as WireOperation } from "./endpoint.ts";
import { messages, responses, type Row } from "./row.ts";

export function createProvider(row: Row): Provider {
  const { base, recognises } = row;
  const root = rootOf(base);
  const variable = variableName(row);
  const baseVariables = [...(row.baseVariables ?? []), `${variable}_API_BASE`];
  const apiBase = (question: ModelQuestion, variables: Variables): string =>
    row.apiBase?.(question, variables) ?? missingBase(baseVariables);
  return {
    names: row.names,
    ...(recognises === undefined ? {} : { recognises: (model) => recognises.test(model) }),
    hosts: ownHosts(row),
    defaultApiBase: base,
    baseVariables,
    keyVariables: row.keyVariables ?? [`${variable}_API_KEY`],
    keyOptional: row.keyOptional ?? false,
    ...(base === undefined ? { apiBase } : {}),
    modelId: (model) => modelId(row, model),
    dialects: (question, operation) => dialectsOf(row, question, operation),
    quirks: (question) => quirksOf(row, question),
    check: (question, variables) => {
      const isSaid = base !== undefined || question.apiBase !== undefined || baseVariables.some((name) => variables(name) !== undefined);
      return isSaid ? [] : problemsOf(() => apiBase(question, variables));
    },
    address: (request, target) => ({
      url: endpoint(target.apiBase, wireOperation(request), root),
      headers: requestHeaders(row, request, target),
      body: request.body.bytes,
    }),
    authorize: (headers, credential) =>
      authorized(headers, credential, row.authorize?.(credential) ?? [["authorization", `Bearer ${credential.value}`]]),
    ...(row.paramVariables === undefined ? {} : { paramVariables: row.paramVariables }),
    ...ownCallers(row),
  };
}

/** A caller's login belongs to the vendor of the caller's client, and is sent to another only where the configuration says so. */
function ownCallers(row: Row): Pick<Provider, "ownsUrl" | "isCredential"> {
  const { callersKey } = row;
  if (callersKey === undefined) return { ownsUrl: () => false };
  const hosts: ReadonlySet<string> = new Set(ownHosts(row));
  return {
    ownsUrl: ({ protocol, host, username, password }) => protocol === "https:" && hosts.has(host) && username === "" && password === "",
    isCredential: (value) => callersKey.test(value),
  };
}

/** LiteLLM's spelling: `together_ai` → `TOGETHER_AI`. */
function variableName({ names }: Row): string {
  return (names[0] ?? "").toUpperCase().replaceAll(/[^A-Z0-9]/g, "_");
}

/** With and without the path: where the host offers other APIs as well, the longer one says which is meant. */
function ownHosts({ base, hosts = [] }: Row): readonly string[] {
  if (base === undefined) return hosts;
  const { host, hostname, pathname } = new URL(base);
  if (isOwnMachine(hostname)) return hosts;
  return [host, ...(pathname === "/" ? [] : [`${host}${pathname}`]), ...hosts];
}

function isOwnMachine(hostname: string): boolean {
  return hostname === "localhost" || hostname === "127.0.0.1";
}

function missingBase(variables: readonly string[]): never {
  throw new Error(`needs an api_base, because it has no address of its own: give it one, or set ${variables.join(" or ")}.`);
}

function problemsOf(attempt: () => unknown): readonly string[] {
  try {
    attempt();
    return [];
  } catch (error) {
    return [error instanceof Error ? error.message : String(error)];
  }
}

function modelId(row: Row, written: string): string {
  const { model } = readModel(written);
  return row.modelId?.(model) ?? model;
}

function quirksOf(row: Row, question: ModelQuestion): Quirks {
  const model = modelId(row, question.model);
  const chat = typeof row.quirks === "function" ? row.quirks(model) : row.quirks;
  const ofResponses = typeof row.responsesQuirks === "function" ? row.responsesQuirks(model) : row.responsesQuirks;
  return {
    ...(chat === undefined ? {} : { chat }),
    ...(ofResponses === undefined ? {} : { responses: ofResponses }),
    messages: ownMessages,
  };
}

/** A server that offers Anthropic's API beside its own knows neither its betas nor its newest roles. */
const ownMessages: MessagesQuirks = { betas: "none", midSystem: false };

function wireOperation({ dialect, operation }: Addressed): WireOperation {
  if (operation === "embeddings") return "embeddings";
  if (dialect === messages) return "messages";
  return dialect === responses ? "responses" : "chat/completions";
}

/** Of the caller's headers those that concern this API; what another vendor's client tells its vendor is none of this host's affair. */
const passedOn: ReadonlySet<string> = new Set([
  "http-referer",
  "idempotency-key",
  "openai-beta",
  "user-agent",
  "x-client-request-id",
  "x-grok-conv-id",
  "x-title",
]);

function requestHeaders(row: Row, request: Addressed, target: Target): HeaderList {
  if (request.dialect === messages) return foreignMessagesHeaders(request.headers, { quirks: ownMessages, version: "2023-06-01" });
  return [
    ...request.headers.filter(([name]) => passedOn.has(name)),
    ["content-type", "application/json"],
    ["accept", request.stream ? "text/event-stream" : "application/json"],
    ...(row.headers?.(target.params) ?? []),
  ];
}
