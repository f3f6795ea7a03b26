/**
 * Marks for the hub's prompt cache. Clients of this wire set none, since it keeps prefixes by itself; where marks are
 * needed, an agent's conversation without them is paid for in full at every turn.
 */

import type { JsonObject } from "../../sdk/events.ts";

export interface Markable {
  readonly system: readonly JsonObject[];
  readonly messages: readonly JsonObject[];
}

const mark = { cache_control: { type: "ephemeral" } };

/** The end of what the system says, and the ends of the user's last two turns: that of the turn before is where the last one was kept. */
export function markConversation({ system, messages }: Markable): Markable {
  const users = new Set(messages.flatMap((message, index) => (message["role"] === "user" ? [index] : [])).slice(-2));
  return {
    system: system.map((block, index) => (index === system.length - 1 ? { ...block, ...mark } : block)),
    messages: messages.map((message, index) => (users.has(index) ? markLast(message) : message)),
  };
}

function markLast(message: JsonObject): JsonObject {
  const { content } = message;
  if (!Array.isArray(content) || content.length === 0) return message;
  return { ...message, content: [...content.slice(0, -1), { ...content.at(-1), ...mark }] };
}
