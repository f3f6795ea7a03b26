/** URL, headers and last shape of the body of a request to Google Cloud. */

import type { RequestBody } from "../../sdk/body.ts";
import type { HeaderList } from "../../sdk/dialect.ts";
import { bodyOf } from "../../sdk/hub/byte-body.ts";
import { foreignMessagesHeaders, plainHeaders } from "../../sdk/hub/foreign-headers.ts";
import type { Addressed, Outbound } from "../../sdk/provider.ts";
import type { Target } from "../../sdk/wire.ts";
import { claudeBody, claudeQuirks, countingLocation, renamedBetas, withoutField } from "./claude.ts";
import { hostOf, isGoogleHost, locationOf, projectOf, textOf, unknownProject } from "./location.ts";
import { type VertexModel, vertexModel } from "./models.ts";

export function address(request: Addressed, target: Target): Outbound {
  const model = vertexModel(target.model);
  return { url: urlOf(request, target, model), headers: headersOf(request, target, model), body: shape(request, target, model).bytes };
}

function headersOf({ headers }: Addressed, target: Target, { dialect }: VertexModel): HeaderList {
  if (dialect !== "anthropic") return plainHeaders(headers);
  return foreignMessagesHeaders(headers, { quirks: claudeQuirks(target.model), renamedBetas });
}

function shape({ body, operation }: Addressed, target: Target, model: VertexModel): RequestBody {
  if (model.dialect === "anthropic") return claudeBody(body, operation, model.name);
  if (model.dialect === "openai-chat") return body.edit([{ field: "model", value: model.name }]);
  // Counting takes the request itself here, and its model from the address.
  const wrapped = operation === "count_tokens" ? body.field("generateContentRequest") : undefined;
  return withoutField(wrapped === undefined ? body : bodyOf(body.slice(wrapped)), "model");
}

function urlOf(request: Addressed, target: Target, model: VertexModel): string {
  const base = new URL(target.apiBase);
  const path = base.pathname.replace(/\/+$/, "");
  const verb = verbOf(request, model);
  // As LiteLLM has it: a base that ends with the model wants nothing but the verb.
  if (/\/(?:models|endpoints)\/[^/]+$/.test(path)) return `${base.origin}${countingPath(path, request, model)}${verb}`;
  const below = countingPath(model.path, request, model) + verb;
  const [, project, location] = /\/projects\/([^/]+)\/locations\/([^/]+)$/.exec(path) ?? [];
  if (project !== undefined && location !== undefined) {
    const counting = request.operation === "count_tokens" && model.dialect === "anthropic" && isGoogleHost(base.host);
    const place = counting ? (textOf(target.params["vertex_count_tokens_location"]) ?? countingLocation(location)) : location;
    const origin = place === location ? base.origin : `https://${hostOf(place)}`;
    return `${origin}${path.slice(0, path.lastIndexOf("/"))}/${place}/${below}`;
  }
  const root = /\/v\d\w*$/.test(path) ? path : `${path}/${model.version}`;
  const named = projectOf(target.params, () => undefined);
  if (named === undefined && textOf(target.params["api_key"]) !== undefined) return `${base.origin}${root}/${below}`;
  const place = locationOf(target.params, target.model, () => undefined);
  return `${base.origin}${root}/projects/${named ?? unknownProject}/locations/${place}/${below}`;
}

function countingPath(path: string, { operation }: Addressed, { dialect }: VertexModel): string {
  return operation === "count_tokens" && dialect === "anthropic" ? path.replace(/[^/]+$/, "count-tokens") : path;
}

function verbOf({ operation, stream }: Addressed, { dialect, isRaw }: VertexModel): string {
  if (dialect === "gemini") {
    if (operation === "count_tokens") return ":countTokens";
    return stream ? ":streamGenerateContent?alt=sse" : ":generateContent";
  }
  if (dialect === "openai-chat" && !isRaw) return "/chat/completions";
  return stream && operation !== "count_tokens" ? ":streamRawPredict" : ":rawPredict";
}
