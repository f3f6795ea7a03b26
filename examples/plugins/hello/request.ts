/** Requests: what a client of this protocol sent, as a request of the hub, and a request of the hub for a host of this protocol. */

import type { RequestBody } from "../../../sdk/body.ts";
import type { Received } from "../../../sdk/dialect.ts";
import { ProxyError } from "../../../sdk/errors.ts";
import type { JsonObject } from "../../../sdk/events.ts";
import type { AssistantPart, Turn, UserPart } from "../../../sdk/hub/conversation.ts";
import { record, text } from "../../../sdk/hub/json.ts";
import { readConversation } from "../../../sdk/hub/read-conversation.ts";
import type { Encoded, HubRequest, Note, Target } from "../../../sdk/wire.ts";
import { HelloReader } from "./reply.ts";
import type { WireLine, WireRequest } from "./wire.ts";

/** @throws ProxyError 400 that names what is wrong, and where */
export function decodeRequest({ body }: Received, note: Note): JsonObject {
  const lines = body.value("lines");
  if (!Array.isArray(lines) || lines.length === 0) throw badRequest("lines: wanted a list with at least one line");
  if (body.field("mood") !== undefined) note("field dropped: nobody else has one", { field: "mood" });
  return {
    model: text(body.value("to")) ?? "",
    // The hub wants a limit, this protocol has none.
    max_tokens: 4096,
    stream: body.value("stream") === true,
    messages: lines.map((line, index) => {
      const { from, say } = record(line) ?? {};
      if (typeof say !== "string") throw badRequest(`lines[${index}].say: wanted a text`);
      return { role: from === "me" ? "assistant" : "user", content: say };
    }),
  };
}

function badRequest(message: string): ProxyError {
  return new ProxyError(message, { status: 400, kind: "invalid_request_error" });
}

/** `readConversation` has done most of it: roles alternate, images and PDFs became words that say what was there. */
export function encodeRequest(request: HubRequest, target: Target, note: Note): Encoded {
  const conversation = readConversation(request, target, { midSystem: false, images: false, documents: false }, note);
  if (conversation.tools.length > 0) note("tools dropped: the protocol has none", { count: conversation.tools.length });
  const system = conversation.system.map(({ text: words }): WireLine => ({ from: "them", say: words }));
  const body: WireRequest = {
    to: target.model,
    lines: [...system, ...conversation.turns.map(lineOf)],
    ...(conversation.stream ? { stream: true } : {}),
  };
  return { body, reader: new HelloReader({ model: target.model, inputTokens: request.estimatedInputTokens }) };
}

function lineOf(turn: Turn): WireLine {
  if (turn.role === "system") return { from: "them", say: turn.text };
  const parts: readonly (UserPart | AssistantPart)[] = turn.parts;
  return { from: turn.role === "assistant" ? "me" : "them", say: parts.map(wordsOf).join("\n") };
}

function wordsOf(part: UserPart | AssistantPart): string {
  if (part.type === "text" || part.type === "thinking") return part.text;
  if (part.type === "tool_call") return `(called ${part.name})`;
  if (part.type === "tool_result") return part.content.map(wordsOf).join("\n");
  return `(${part.type})`;
}

/** A body that a client of this protocol sent for a host of this protocol: its own bytes, with the name of the model in them. */
export function adapt(body: RequestBody, target: Target): RequestBody {
  return body.value("to") === target.model ? body : body.edit([{ field: "to", value: target.model }]);
}
