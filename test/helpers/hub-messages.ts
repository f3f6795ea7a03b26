/** Requests of the hub in few words, and how they read. */

import type { Json } from "../../sdk/body.ts";
import type { JsonObject } from "../../sdk/events.ts";
import type { Conversation, ConversationOptions, Turn } from "../../sdk/hub/conversation.ts";
import { readConversation } from "../../sdk/hub/read-conversation.ts";
import type { HubRequest } from "../../sdk/wire.ts";
import { hubTarget, type HubTargetOptions } from "./hub-target.ts";

export interface Asked extends Partial<ConversationOptions> {
  readonly request?: Partial<HubRequest>;
  readonly target?: HubTargetOptions;
  /** Takes what is noted: what, and details where there are any. */
  readonly notes?: unknown[];
}

export const PRODUCER = "example https://example.com";

export function read(body: JsonObject, { request, target, notes, ...options }: Asked = {}): Conversation {
  return readConversation(
    { body, session: "s", estimatedInputTokens: 1, ...request },
    hubTarget({ producer: PRODUCER, ...target }),
    { midSystem: false, images: true, documents: true, ...options },
    (what, details) => notes?.push(details === undefined ? [what] : [what, details]),
  );
}

export function turns(messages: readonly Json[], asked: Asked = {}): readonly Turn[] {
  return read({ messages }, asked).turns;
}

export function user(content: Json): JsonObject {
  return { role: "user", content };
}

export function assistant(content: Json): JsonObject {
  return { role: "assistant", content };
}

export function system(content: Json, others: JsonObject = {}): JsonObject {
  return { role: "system", content, ...others };
}

export function text(words: string): { readonly type: "text"; readonly text: string } {
  return { type: "text", text: words };
}

export function call(id: string, name = "Bash"): JsonObject {
  return { type: "tool_use", id, name, input: { command: id } };
}

export function result(id: string, content: Json = `result ${id}`): JsonObject {
  return { type: "tool_result", tool_use_id: id, content };
}
