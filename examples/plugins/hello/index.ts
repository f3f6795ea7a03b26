/** A whole plugin, made to be copied: a protocol of its own, and a provider whose host speaks it. See docs/plugins.md. */

import type { Dialect, Ingress } from "../../../sdk/dialect.ts";
import { jsonReply } from "../../../sdk/hub/local-message.ts";
import { authorized, plainHeaders } from "../../../sdk/hub/foreign-headers.ts";
import { text } from "../../../sdk/hub/json.ts";
import { type Plugin, definePlugin } from "../../../sdk/plugin.ts";
import type { Provider } from "../../../sdk/provider.ts";
import { decodeError, encodeError, encodeStreamError } from "./errors.ts";
import { HelloWatch, encodeWhole, streamEncoder } from "./reply.ts";
import { adapt, decodeRequest, encodeRequest } from "./request.ts";
import { dialectName, path } from "./wire.ts";

/** The client's side: for whoever calls the proxy in this protocol. */
const ingress: Ingress = {
  routes: [{ method: "POST", path, operation: "generate" }],
  encodeError,
  encodeStreamError,
  ping: Buffer.from(": still here\n\n"),
  watch: () => new HelloWatch(),
  encodeTokenCount: (tokens) => jsonReply(200, { heard: tokens }),
  translation: {
    head: ({ body }) => ({ model: text(body.value("to")) ?? "", stream: body.value("stream") === true, session: undefined }),
    decode: decodeRequest,
    stream: streamEncoder,
    whole: encodeWhole,
  },
};

/** Both sides. Either may be left out: a protocol that no client speaks has no `ingress`. */
const dialect: Dialect = { name: dialectName, ingress, wire: { encode: encodeRequest, adapt, decodeError } };

/** `hello/<model>` in config.yaml. */
const provider: Provider = {
  names: ["hello"],
  defaultApiBase: "https://hello.example",
  keyVariables: ["HELLO_API_KEY"],
  dialects: (_, operation) => (operation === "generate" ? [dialectName] : []),
  address: ({ body, headers }, { apiBase }) => ({ url: `${apiBase}${path}`, headers: plainHeaders(headers), body: body.bytes }),
  authorize: (headers, credential) => authorized(headers, credential, [["x-hello-key", credential.value]]),
  // A caller's own login is for the vendor of its client.
  ownsUrl: () => false,
};

export const hello: Plugin = definePlugin({
  name: "hello",
  setup: () => ({ dialects: [dialect], providers: [provider] }),
});
