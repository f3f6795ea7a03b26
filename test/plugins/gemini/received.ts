/** Requests and replies of clients of this wire. */

import type { ClientTranslation, Operation, Received, ReplyOptions, StreamEncoder } from "../../../sdk/dialect.ts";
import type { JsonObject } from "../../../sdk/events.ts";
import { bodyOf } from "../../../sdk/hub/byte-body.ts";
import { ingress, present } from "./replies.ts";

export const translation: ClientTranslation = present(ingress.translation);

export interface ReceivedOptions {
  readonly path?: string;
  readonly search?: string;
  readonly operation?: Operation;
}

export function received(body: JsonObject, options: ReceivedOptions = {}): Received {
  return {
    operation: options.operation ?? "generate",
    body: bodyOf(Buffer.from(JSON.stringify(body))),
    path: options.path ?? "/v1beta/models/claude-opus-5-5:generateContent",
    search: options.search ?? "",
    headers: { get: () => undefined },
  };
}

export interface Decoded {
  readonly request: JsonObject;
  readonly notes: readonly string[];
}

export function decode(body: JsonObject, options: ReceivedOptions = {}): Decoded {
  const notes: string[] = [];
  const request = translation.decode(received(body, options), (what) => void notes.push(what));
  return { request, notes };
}

export const hello: JsonObject = { contents: [{ role: "user", parts: [{ text: "Hello" }] }] };

export function replyOptions(body: JsonObject = hello, options: ReceivedOptions = {}): ReplyOptions {
  const from = received(body, options);
  return { received: from, head: translation.head(from), id: "req_1" };
}

export const streaming: ReceivedOptions = { path: "/v1beta/models/claude-opus-5-5:streamGenerateContent", search: "?alt=sse" };

export function encodeAll(encoder: StreamEncoder, events: readonly JsonObject[]): string {
  return events.map((event) => encoder.push(event)).join("") + encoder.end();
}

/** Responses of a stream of events, as they stand on the wire. */
export function responsesOf(stream: string): readonly JsonObject[] {
  const frames = stream.split("\r\n\r\n").filter((frame) => frame.trim() !== "");
  return frames.map((frame): JsonObject => {
    if (!frame.startsWith("data: ")) throw new Error(`this is no event: ${frame.slice(0, 80)}`);
    return JSON.parse(frame.slice("data: ".length));
  });
}

export function chunksOf(reply: { readonly chunks: readonly Uint8Array[] }): JsonObject {
  return JSON.parse(Buffer.concat(reply.chunks).toString("utf8"));
}
