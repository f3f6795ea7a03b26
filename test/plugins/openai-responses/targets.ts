/** Targets, requests and clients to try the dialect on. */

import type { Json } from "../../../sdk/body.ts";
import type { ClientTranslation, Ingress, Received, ReplyOptions } from "../../../sdk/dialect.ts";
import type { JsonObject } from "../../../sdk/events.ts";
import { bodyOf } from "../../../sdk/hub/byte-body.ts";
import type { HubRequest, Note, Target, Wire } from "../../../sdk/wire.ts";
import { openaiResponses } from "../../../plugins/openai-responses/index.ts";
import { hubTarget, type HubTargetOptions } from "../../helpers/hub-target.ts";

/** What a test reads out of JSON: whoever reads too far finds nothing, and the test fails. */
export type Loose = ReturnType<typeof JSON.parse>;

const [dialect] = openaiResponses.setup().dialects ?? [];
if (dialect?.wire?.encode === undefined || dialect.ingress?.translation === undefined)
  throw new Error("the plugin has one dialect with both sides");
export const wire: Wire & Required<Pick<Wire, "encode">> = dialect.wire as Required<Wire>;
export const ingress: Ingress = dialect.ingress;
export const translation: ClientTranslation = dialect.ingress.translation;

export const producer = "openai https://api.openai.com";

export function makeTarget(options: HubTargetOptions = {}): Target {
  return hubTarget({ providerName: "openai", model: "gpt-5.6-sol", apiBase: "https://api.openai.com/v1", producer, ...options });
}

export function makeHubRequest(body: JsonObject = {}, others: Partial<HubRequest> = {}): HubRequest {
  return {
    body: { model: "any", max_tokens: 1000, messages: [{ role: "user", content: "Hello" }], ...body },
    session: undefined,
    estimatedInputTokens: 7,
    ...others,
  };
}

export interface Noted {
  readonly note: Note;
  readonly notes: { readonly what: string; readonly details: unknown }[];
}

export function collectNotes(): Noted {
  const notes: { what: string; details: unknown }[] = [];
  return { notes, note: (what, details) => void notes.push({ what, details }) };
}

/** The body for a target. */
export function encoded(body: JsonObject, target: HubTargetOptions = {}, others: Partial<HubRequest> = {}): Loose {
  return wire.encode(makeHubRequest(body, others), makeTarget(target), () => {}).body;
}

export function notesOf(body: JsonObject, target: HubTargetOptions = {}): readonly string[] {
  const { note, notes } = collectNotes();
  wire.encode(makeHubRequest(body), makeTarget(target), note);
  return notes.map(({ what }) => what);
}

export function received(body: { readonly [key: string]: Json }, headers: Readonly<Record<string, string>> = {}): Received {
  return {
    operation: "generate",
    body: bodyOf(Buffer.from(JSON.stringify(body))),
    path: "/v1/responses",
    search: "",
    headers: { get: (name) => headers[name] },
  };
}

export function decoded(body: JsonObject, note: Note = () => {}): Loose {
  return translation.decode(received({ model: "group", ...body }), note);
}

export function replyOptions(body: JsonObject = {}): ReplyOptions {
  const request = received({ model: "group", input: "Hi", stream: true, ...body });
  return { received: request, head: translation.head(request), id: "0c9d" };
}
