/** The Anthropic Messages protocol, as Claude Code speaks it and as Anthropic and many other hosts serve it. */

import type { Dialect, Ingress, Provider } from "../../sdk/dialect.ts";
import { type Plugin, definePlugin } from "../../sdk/plugin.ts";
import { encodeError, encodeStreamError } from "./errors.ts";
import { events } from "../../sdk/hub/events.ts";
import { MessagesFacts } from "../../sdk/hub/facts.ts";
import { encodeMessage, encodeText, encodeTokenCount, modelList, watchReply } from "./reply.ts";
import { authorize, encodeRequest, isCredential, ownsUrl, relayHeaders } from "./request.ts";
import { countTokensPath, encodeEvent, messagesPath } from "./wire.ts";

export interface AnthropicOptions {
  /** Where models without a deployment and the vendor's other endpoints go; for tests a host of their own. */
  readonly apiBase?: string;
  /** Whether a caller's own login may be sent to a URL. */
  readonly ownsUrl?: (url: URL) => boolean;
}

export function createAnthropicPlugin(options: AnthropicOptions = {}): Plugin {
  const ingress: Ingress = {
    routes: [
      { method: "POST", path: messagesPath, operation: "generate" },
      { method: "POST", path: countTokensPath, operation: "count_tokens" },
    ],
    facts: (body, headers) => new MessagesFacts(body, headers),
    encodeError,
    encodeStreamError,
    ping: encodeEvent("ping", { type: "ping" }),
    watch: watchReply,
    encodeText,
    encodeMessage,
    events,
    encodeTokenCount,
    modelList,
  };
  const owns = options.ownsUrl ?? ownsUrl;
  const provider: Provider = {
    names: ["anthropic"],
    recognises: (model) => model.startsWith("claude-"),
    defaultApiBase: options.apiBase ?? "https://api.anthropic.com",
    ownsUrl: owns,
    isCredential,
    encode: (request, target) => encodeRequest(request, target, owns(new URL(target.apiBase))),
    authorize,
    passThrough: { matches: (path) => path.startsWith("/v1/") || path.startsWith("/api/") },
    relayHeaders: (headers, url) => relayHeaders(headers, owns(url)),
  };
  const dialect: Dialect = { name: "anthropic", ingress, provider };
  return definePlugin({ name: "anthropic", setup: () => ({ dialects: [dialect] }) });
}

export const anthropic: Plugin = createAnthropicPlugin();
