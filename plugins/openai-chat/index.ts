/** The Chat Completions protocol, as OpenAI's clients speak it and as most other hosts serve it. */

import type { ClientTranslation, Dialect, Ingress } from "../../sdk/dialect.ts";
import { keepAliveTest } from "../../sdk/hub/keep-alive.ts";
import { jsonReply } from "../../sdk/hub/local-message.ts";
import { type Plugin, definePlugin } from "../../sdk/plugin.ts";
import type { Wire } from "../../sdk/wire.ts";
import { adapt } from "./adapt.ts";
import { decodeRequest, readHead } from "./decode-request.ts";
import { decodeError, encodeError, encodeStreamError } from "./errors.ts";
import { readMeaning } from "./meaning.ts";
import { watchReply } from "./reply-watch.ts";
import { encodeRequest } from "./request.ts";
import { ChatStreamEncoder } from "./stream-encoder.ts";
import { encodeWhole } from "./whole-reply.ts";
import { chatPaths, deploymentChatPath, dialectName, embeddingPaths } from "./wire.ts";

const translation: ClientTranslation = {
  head: readHead,
  decode: decodeRequest,
  stream: (options) => new ChatStreamEncoder(options),
  whole: encodeWhole,
};

const ingress: Ingress = {
  routes: [
    ...[...chatPaths, deploymentChatPath].map((path) => ({ method: "POST" as const, path, operation: "generate" as const })),
    ...embeddingPaths.map((path) => ({ method: "POST" as const, path, operation: "embeddings" as const })),
  ],
  encodeError,
  encodeStreamError,
  ping: Buffer.from(": ping\n\n"),
  watch: watchReply,
  meaning: readMeaning,
  isKeepAlive: keepAliveTest(),
  // This wire has no such question; whoever asks is told in the hub's words.
  encodeTokenCount: (inputTokens) => jsonReply(200, { input_tokens: inputTokens }),
  translation,
};

const wire: Wire = { encode: encodeRequest, adapt, decodeError };

const dialect: Dialect = { name: dialectName, ingress, wire };

export const openaiChat: Plugin = definePlugin({ name: dialectName, setup: () => ({ dialects: [dialect] }) });
