/** Google Cloud's Agent Platform (Vertex AI): Claude, Gemini and partner models under one login. */

import { authorized } from "../../sdk/hub/foreign-headers.ts";
import { type Plugin, definePlugin } from "../../sdk/plugin.ts";
import type { ModelQuestion, Provider, Variables } from "../../sdk/provider.ts";
import type { ChatQuirks, Quirks } from "../../sdk/quirks.ts";
import { address } from "./address.ts";
import { claudeQuirks } from "./claude.ts";
import { faultOf } from "./credentials.ts";
import { checkedProject, defaultBase, hostOf, isGoogleHost, locationOf, projectOf } from "./location.ts";
import { vertexModel } from "./models.ts";
import { createSign } from "./sign.ts";

function createProvider(): Provider {
  return {
    names: ["vertex_ai", "vertex_ai_beta"],
    hosts: ["aiplatform.googleapis.com", "aiplatform.us.rep.googleapis.com", "aiplatform.eu.rep.googleapis.com"],
    defaultApiBase: undefined,
    apiBase: defaultBase,
    paramVariables: {
      vertex_project: ["VERTEXAI_PROJECT", "VERTEX_PROJECT", "GOOGLE_CLOUD_PROJECT", "DEFAULT_VERTEXAI_PROJECT"],
      vertex_location: ["VERTEXAI_LOCATION", "VERTEX_LOCATION", "GOOGLE_CLOUD_LOCATION", "DEFAULT_VERTEXAI_LOCATION"],
    },
    dialects({ model }, operation) {
      const { dialect } = vertexModel(model);
      if (operation === "generate") return [dialect];
      return operation === "count_tokens" && dialect !== "openai-chat" ? [dialect] : [];
    },
    quirks,
    check,
    address,
    authorize(headers, credential) {
      const { form, value } = credential;
      // A key of Google's is no token; a token (`ya29.…`) may have been written where a key belongs.
      const isToken = form === "bearer" || value.startsWith("ya29.");
      return authorized(headers, credential, [isToken ? ["authorization", `Bearer ${value}`] : ["x-goog-api-key", value]]);
    },
    sign: createSign(),
    ownsUrl: (url) =>
      url.protocol === "https:" && url.port === "" && url.username === "" && url.password === "" && isGoogleHost(url.hostname),
    isCredential: (value) => value.startsWith("ya29."),
  };
}

function quirks({ model }: ModelQuestion): Quirks {
  const { dialect, name, isRaw } = vertexModel(model);
  if (dialect === "anthropic") return { messages: claudeQuirks(name) };
  return dialect === "openai-chat" ? { chat: chatQuirks(name, isRaw) } : {};
}

/** Mistral's own API behind another address; Grok tells nothing of its reasoning here and takes no effort. */
function chatQuirks(name: string, isRaw: boolean): ChatQuirks {
  if (isRaw) return { nineCharIds: true, anyToolChoice: "any", noUserAfterTool: true, streamUsage: false };
  return name.startsWith("xai/") ? { effort: "none" } : {};
}

function check({ model, params, apiBase }: ModelQuestion, variables: Variables): readonly string[] {
  const faults: string[] = [];
  try {
    const project = projectOf(params, variables);
    if (project !== undefined) checkedProject(project);
    if (apiBase === undefined) hostOf(locationOf(params, model, variables));
  } catch (error) {
    faults.push(error instanceof Error ? error.message : String(error));
  }
  return [...faults, ...faultOf(params, variables)];
}

export const vertex: Plugin = definePlugin({ name: "vertex", setup: () => ({ providers: [createProvider()] }) });
