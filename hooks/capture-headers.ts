/** Hook: notes the headers of a request as `header_NAME` of its log line and trace; what looks like a credential is left out. */

import { defineHook, param } from "ccproxy/sdk";

import { findSecrets } from "./shared/secrets.ts";

const longest = 200;
const redacted = "[redacted]";

/** Names of headers that hold a credential, whatever their value looks like. */
const secretName = /auth|cookie|credential|key|passw|secret|signature|token/i;
/** … and names that only sound like it. */
const harmlessName = /^(sec-websocket-key|x-stainless-.*|.*-tokens?-(limit|count|remaining))$/i;

export default defineHook({
  summary: "notes the request headers, without credentials",
  params: {
    /** Only these, in any case; `[]` notes none. All when left out. */
    headers: param.list(param.text()).optional(),
  },

  preCall(_request, context) {
    const wanted = context.params.headers?.map((name) => name.toLowerCase());
    for (const name of context.headers.keys()) {
      const value = context.headers.get(name) ?? "";
      if (value === "" || (wanted !== undefined && !wanted.includes(name.toLowerCase()))) continue;
      context.annotate(`header_${name.toLowerCase()}`, display(name, value));
    }
  },
});

function display(name: string, value: string): string {
  if (secretName.test(name) && !harmlessName.test(name)) return redacted;
  let shown = "";
  let end = 0;
  for (const found of findSecrets(value)) {
    shown += value.slice(end, found.start) + redacted;
    end = found.end;
  }
  shown += value.slice(end);
  return shown.length > longest ? `${shown.slice(0, longest)}…` : shown;
}
