/** Targets and requests to try the dialect on. */

import type { JsonObject } from "../../../sdk/events.ts";
import type { ChatQuirks } from "../../../sdk/quirks.ts";
import type { HubRequest, Note, Target, Wire } from "../../../sdk/wire.ts";
import type { Ingress } from "../../../sdk/dialect.ts";
import { openaiChat } from "../../../plugins/openai-chat/index.ts";

const [dialect] = openaiChat.setup().dialects ?? [];
if (dialect?.wire === undefined || dialect.ingress === undefined) throw new Error("the plugin has one dialect with both sides");
export const wire: Wire = dialect.wire;
export const ingress: Ingress = dialect.ingress;

/** JSON that a test looks into. */
export type Loose = ReturnType<typeof JSON.parse>;

export function makeTarget(chat: ChatQuirks = {}, modelFacts: Partial<Target["modelFacts"]> = {}): Target {
  return {
    deploymentId: "d1",
    providerName: "testhost",
    model: "model-x",
    apiBase: "https://api.example/v1",
    params: {},
    modelFacts: {
      contextWindow: undefined,
      maxOutputTokens: undefined,
      images: undefined,
      documents: undefined,
      tools: undefined,
      reasoning: undefined,
      ...modelFacts,
    },
    quirks: { chat },
    producer: "testhost api.example",
  };
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

/** The body for a target with these quirks. */
export function encoded(
  body: JsonObject,
  chat: ChatQuirks = {},
  facts: Partial<Target["modelFacts"]> = {},
  others: Partial<HubRequest> = {},
): JsonObject {
  if (wire.encode === undefined) throw new Error("the wire translates");
  return wire.encode(makeHubRequest(body, others), makeTarget(chat, facts), () => {}).body;
}
