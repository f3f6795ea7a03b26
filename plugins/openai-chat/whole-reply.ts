/** A whole message of the hub as a completion of this wire. */

import type { LocalReply, ReplyOptions } from "../../sdk/dialect.ts";
import type { JsonObject } from "../../sdk/events.ts";
import { record, text } from "../../sdk/hub/json.ts";
import { jsonReply } from "../../sdk/hub/local-message.ts";
import { producerToolId } from "../../sdk/hub/tool-ids.ts";
import { records } from "./reasoning.ts";
import { finishReason, ReplyParts, wireUsage } from "./reply-parts.ts";
import type { WireToolCall } from "./wire.ts";

/** @param id of the exchange */
export function completionId(id: string): string {
  return `chatcmpl-${id}`;
}

export function encodeWhole(message: JsonObject, { head, id }: ReplyOptions): LocalReply {
  const content = message["content"];
  const parts = new ReplyParts();
  const calls: WireToolCall[] = [];
  let words = "";
  let reasoning = "";
  for (const block of Array.isArray(content) ? records(content) : []) {
    switch (text(block["type"]) ?? "") {
      case "text": {
        const said = text(block["text"]) ?? "";
        words += said;
        parts.text(said.length, Array.isArray(block["citations"]) ? block["citations"] : []);
        break;
      }
      case "thinking":
        reasoning += text(block["thinking"]) ?? "";
        parts.thinking(block);
        break;
      case "redacted_thinking":
        parts.thinking(block);
        break;
      case "web_search_tool_result":
        parts.results(block["content"]);
        break;
      case "tool_use":
        parts.call();
        calls.push(toolCall(block));
        break;
      default:
    }
  }
  return jsonReply(200, {
    id: completionId(id),
    object: "chat.completion",
    created: Math.floor(Date.now() / 1000),
    model: text(message["model"]) ?? head.model,
    choices: [
      {
        index: 0,
        message: {
          role: "assistant",
          content: words === "" && calls.length > 0 ? null : words,
          refusal: null,
          ...(reasoning === "" ? {} : { reasoning_content: reasoning }),
          ...parts.extensions,
          ...(calls.length === 0 ? {} : { tool_calls: calls }),
        },
        logprobs: null,
        finish_reason: finishReason(message["stop_reason"]),
      },
    ],
    usage: wireUsage(record(message["usage"]) ?? {}),
  });
}

/** The input of a call that was cut off is the text of it. */
function toolCall(block: JsonObject): WireToolCall {
  const input = block["input"];
  return {
    id: producerToolId(text(block["id"]) ?? ""),
    type: "function",
    function: { name: text(block["name"]) ?? "", arguments: typeof input === "string" ? input : JSON.stringify(input ?? {}) },
  };
}
