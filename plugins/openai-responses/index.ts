/** The OpenAI Responses protocol, as its vendor's clients speak it, and as the vendor and a growing number of hosts serve it. */

import type { ClientTranslation, Dialect, Ingress } from "../../sdk/dialect.ts";
import { keepAliveTest } from "../../sdk/hub/keep-alive.ts";
import { jsonReply } from "../../sdk/hub/local-message.ts";
import { type Plugin, definePlugin } from "../../sdk/plugin.ts";
import type { Wire } from "../../sdk/wire.ts";
import { decodeRequest, readHead } from "./decode-request.ts";
import { decodeError, encodeError, encodeStreamError } from "./errors.ts";
import { readMeaning } from "./meaning.ts";
import { watchReply } from "./reply-watch.ts";
import { adapt, encode } from "./request.ts";
import { encodeWhole, ResponseStreamEncoder } from "./stream-encoder.ts";
import { countPaths, dialectName, responsePaths } from "./wire.ts";

const translation: ClientTranslation = {
  head: readHead,
  decode: decodeRequest,
  stream: (options) => new ResponseStreamEncoder(options),
  whole: encodeWhole,
};

const ingress: Ingress = {
  routes: [
    ...responsePaths.map((path) => ({ method: "POST" as const, path, operation: "generate" as const })),
    ...countPaths.map((path) => ({ method: "POST" as const, path, operation: "count_tokens" as const })),
  ],
  encodeError,
  encodeStreamError,
  ping: Buffer.from(": ping\n\n"),
  watch: watchReply,
  meaning: readMeaning,
  // `keepalive` is in no documentation: https://github.com/openai/openai-node/issues/1964
  isKeepAlive: keepAliveTest(["event: keepalive", 'data: {"type":"keepalive"', 'data: {"type": "keepalive"']),
  encodeTokenCount: (inputTokens) => jsonReply(200, { object: "response.input_tokens", input_tokens: inputTokens }),
  translation,
};

const wire: Wire = { encode, adapt, decodeError };

const dialect: Dialect = { name: dialectName, ingress, wire };

export const openaiResponses: Plugin = definePlugin({ name: dialectName, setup: () => ({ dialects: [dialect] }) });
