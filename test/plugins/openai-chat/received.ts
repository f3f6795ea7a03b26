/** Requests of clients, as the proxy receives them. */

import type { ClientTranslation, Received, ReplyOptions, RequestHead } from "../../../sdk/dialect.ts";
import type { JsonObject } from "../../../sdk/events.ts";
import { bodyOf } from "../../../sdk/hub/byte-body.ts";
import { collectNotes, ingress, type Loose } from "./targets.ts";

const { translation } = ingress;
if (translation === undefined) throw new Error("the dialect translates for its clients");
export const client: ClientTranslation = translation;

export function makeReceived(
  body: JsonObject,
  { path = "/v1/chat/completions", headers = {} }: { path?: string; headers?: Record<string, string> } = {},
): Received {
  return {
    operation: "generate",
    body: bodyOf(Buffer.from(JSON.stringify(body))),
    path,
    search: "",
    headers: { get: (name) => headers[name] },
  };
}

export function makeRequest(body: JsonObject = {}): JsonObject {
  return { model: "group", messages: [{ role: "user", content: "Hello" }], ...body };
}

export function decode(body: JsonObject = {}): { readonly request: Loose; readonly notes: readonly { what: string; details: unknown }[] } {
  const { note, notes } = collectNotes();
  return { request: client.decode(makeReceived(makeRequest(body)), note), notes };
}

export function replyOptions(body: JsonObject = {}): ReplyOptions {
  const received = makeReceived(makeRequest(body));
  const head: RequestHead = client.head(received);
  return { received, head, id: "x1" };
}
