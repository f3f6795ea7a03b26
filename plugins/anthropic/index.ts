/** The Anthropic Messages protocol, as Claude Code speaks it and as Anthropic and many other hosts serve it. */

import type { Dialect, Ingress } from "../../sdk/dialect.ts";
import { hubDialect } from "../../sdk/hub/dialect.ts";
import { readMeaning } from "../../sdk/hub/event-meaning.ts";
import { keepAliveTest } from "../../sdk/hub/keep-alive.ts";
import { type Plugin, definePlugin } from "../../sdk/plugin.ts";
import type { Provider } from "../../sdk/provider.ts";
import type { Wire } from "../../sdk/wire.ts";
import { budgetNotices, budgetRefusal } from "./budget-notices.ts";
import { decodeError, encodeError, encodeStreamError } from "./errors.ts";
import { fitModel } from "./fit-model.ts";
import { encodeTokenCount, modelList, watchReply } from "./reply.ts";
import { adapt, address, authorize, isCredential, ownsUrl, relayHeaders } from "./request.ts";
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
    encodeError,
    encodeStreamError,
    ping: encodeEvent("ping", { type: "ping" }),
    watch: watchReply,
    meaning: readMeaning,
    isKeepAlive: keepAliveTest(["event: ping", 'data: {"type":"ping"', 'data: {"type": "ping"']),
    encodeTokenCount,
    modelList,
    budgetNotices,
    budgetRefusal,
  };
  const wire: Wire = { adapt, fit: fitModel, decodeError };
  const dialect: Dialect = { name: hubDialect, ingress, wire };
  const owns = options.ownsUrl ?? ownsUrl;
  const provider: Provider = {
    names: ["anthropic"],
    recognises: (model) => model.startsWith("claude-"),
    defaultApiBase: options.apiBase ?? "https://api.anthropic.com",
    dialects: (_, operation) => (operation === "embeddings" ? [] : [hubDialect]),
    address: (request, target) => address(request, target, owns(new URL(target.apiBase))),
    authorize,
    ownsUrl: owns,
    isCredential,
    passThrough: { matches: (path) => path.startsWith("/v1/") || path.startsWith("/api/") },
    relayHeaders: (headers, url) => relayHeaders(headers, owns(url)),
  };
  return definePlugin({ name: "anthropic", setup: () => ({ dialects: [dialect], providers: [provider] }) });
}

export const anthropic: Plugin = createAnthropicPlugin();
