/** Events of the hub as chunks of this wire: the role first, one finish, one end, whatever comes. */

import type { Json } from "../../sdk/body.ts";
import type { ReplyOptions, StreamEncoder } from "../../sdk/dialect.ts";
import { ProxyError, type ErrorKind } from "../../sdk/errors.ts";
import type { JsonObject } from "../../sdk/events.ts";
import { record, text } from "../../sdk/hub/json.ts";
import { producerToolId } from "../../sdk/hub/tool-ids.ts";
import { streamErrorText } from "./errors.ts";
import { finishReason, ReplyParts, wireUsage } from "./reply-parts.ts";
import { completionId } from "./whole-reply.ts";
import { dataEvent, doneEvent } from "./wire.ts";

/** The block that is being told. */
interface Block {
  readonly start: JsonObject;
  readonly type: string;
  /** Of a call, in this wire's counting. */
  readonly callIndex: number;
  /** Characters of text or input so far. */
  length: number;
  thinking: string;
  signature: string;
  readonly citations: Json[];
}

export class ChatStreamEncoder implements StreamEncoder {
  readonly #created: number;
  readonly #id: string;
  readonly #wantsUsage: boolean;
  readonly #parts = new ReplyParts();
  readonly #blocks = new Map<Json | undefined, Block>();
  #model: string;
  /** Of every chunk, up to its delta. */
  #front = "";
  #usage: JsonObject = {};
  #stopReason: Json | undefined;
  #isOver = false;

  constructor({ received, head, id }: ReplyOptions) {
    this.#created = Math.floor(Date.now() / 1000);
    this.#id = completionId(id);
    this.#model = head.model;
    this.#wantsUsage = record(received.body.value("stream_options") ?? null)?.["include_usage"] === true;
  }

  push(event: JsonObject): string {
    if (this.#isOver) return "";
    switch (text(event["type"]) ?? "") {
      case "message_start":
        return this.#begin(record(event["message"]) ?? {});
      case "content_block_start":
        return this.#begin({}) + this.#open(event["index"], record(event["content_block"]) ?? {});
      case "content_block_delta":
        return this.#delta(this.#blocks.get(event["index"]), record(event["delta"]) ?? {});
      case "content_block_stop":
        return this.#close(event["index"]);
      case "message_delta":
        this.#stopReason = record(event["delta"])?.["stop_reason"] ?? this.#stopReason;
        this.#count(event["usage"]);
        return "";
      case "message_stop":
        return this.#begin({}) + this.#finish();
      case "error":
        return this.fail(toError(record(event["error"]) ?? {}));
      default:
        return "";
    }
  }

  fail(error: ProxyError): string {
    if (this.#isOver) return "";
    this.#isOver = true;
    // No `[DONE]`: whoever reads it takes the answer for a whole one.
    return streamErrorText(error);
  }

  end(): string {
    return this.fail(new ProxyError("The answer ended before it was complete.", { status: 502, kind: "api_error" }));
  }

  #begin(message: JsonObject): string {
    if (this.#front !== "") return "";
    this.#model = text(message["model"]) ?? this.#model;
    this.#count(message["usage"]);
    const head = { id: this.#id, object: "chat.completion.chunk", created: this.#created, model: this.#model };
    this.#front = `data: ${JSON.stringify(head).slice(0, -1)}${this.#wantsUsage ? ',"usage":null' : ""},"choices":[{"index":0,"delta":`;
    return this.#chunk({ role: "assistant", content: "" });
  }

  #chunk(delta: JsonObject): string {
    return `${this.#front}${JSON.stringify(delta)},"logprobs":null,"finish_reason":null}]}\n\n`;
  }

  #open(index: Json | undefined, start: JsonObject): string {
    const type = text(start["type"]) ?? "";
    const block: Block = { start, type, callIndex: this.#parts.calls, length: 0, thinking: "", signature: "", citations: [] };
    this.#blocks.set(index, block);
    switch (type) {
      case "text":
        return this.#text(block, text(start["text"]) ?? "");
      case "thinking":
        return this.#think(block, text(start["thinking"]) ?? "");
      case "tool_use": {
        this.#parts.call();
        const id = producerToolId(text(start["id"]) ?? "");
        const call = { index: block.callIndex, id, type: "function", function: { name: text(start["name"]) ?? "", arguments: "" } };
        return this.#chunk({ tool_calls: [call] });
      }
      default:
        return "";
    }
  }

  #delta(block: Block | undefined, delta: JsonObject): string {
    if (block === undefined) return "";
    switch (text(delta["type"]) ?? "") {
      case "text_delta":
        return this.#text(block, text(delta["text"]) ?? "");
      case "thinking_delta":
        return this.#think(block, text(delta["thinking"]) ?? "");
      case "signature_delta":
        block.signature += text(delta["signature"]) ?? "";
        return "";
      case "input_json_delta":
        return block.type === "tool_use" ? this.#input(block, text(delta["partial_json"]) ?? "") : "";
      case "citations_delta":
        block.citations.push(delta["citation"] ?? null);
        return "";
      default:
        return "";
    }
  }

  #text(block: Block, piece: string): string {
    if (piece === "") return "";
    block.length += piece.length;
    return this.#chunk({ content: piece });
  }

  #think(block: Block, piece: string): string {
    if (piece === "") return "";
    block.thinking += piece;
    return this.#chunk({ reasoning_content: piece });
  }

  #input(block: Block, piece: string): string {
    if (piece === "") return "";
    block.length += piece.length;
    return this.#chunk({ tool_calls: [{ index: block.callIndex, function: { arguments: piece } }] });
  }

  #close(index: Json | undefined): string {
    const block = this.#blocks.get(index);
    this.#blocks.delete(index);
    if (block === undefined) return "";
    switch (block.type) {
      case "text":
        this.#parts.text(block.length, block.citations);
        return "";
      case "thinking":
        this.#parts.thinking({
          type: "thinking",
          thinking: block.thinking,
          signature: block.signature || (text(block.start["signature"]) ?? ""),
        });
        return "";
      case "redacted_thinking":
        this.#parts.thinking(block.start);
        return "";
      case "web_search_tool_result":
        this.#parts.results(block.start["content"]);
        return "";
      case "tool_use":
        // Clients parse what they were given; nothing is no JSON.
        return block.length === 0 ? this.#input(block, JSON.stringify(record(block.start["input"]) ?? {})) : "";
      default:
        return "";
    }
  }

  /** What clients do not put together themselves is told once: some keep the last of it only, others refuse a second. */
  #finish(): string {
    this.#isOver = true;
    const { extensions } = this.#parts;
    const extended = Object.keys(extensions).length === 0 ? "" : this.#chunk(extensions);
    const finish = `${this.#front}{},"logprobs":null,"finish_reason":"${finishReason(this.#stopReason)}"}]}\n\n`;
    return extended + finish + (this.#wantsUsage ? this.#usageEvent() : "") + doneEvent;
  }

  #usageEvent(): string {
    const head = { id: this.#id, object: "chat.completion.chunk", created: this.#created, model: this.#model };
    return dataEvent({ ...head, choices: [], usage: wireUsage(this.#usage) });
  }

  /** The last word on each count is final. */
  #count(value: Json | undefined): void {
    const usage = record(value ?? null);
    if (usage !== undefined) this.#usage = { ...this.#usage, ...usage };
  }
}

function toError(error: JsonObject): ProxyError {
  const type = text(error["type"]) ?? "";
  const kind = isKind(type) ? type : "api_error";
  return new ProxyError(text(error["message"]) ?? "The answer ended in an error.", { status: 502, kind });
}

const kinds: ReadonlySet<string> = new Set<ErrorKind>([
  "invalid_request_error",
  "authentication_error",
  "permission_error",
  "not_found_error",
  "request_too_large",
  "rate_limit_error",
  "billing_error",
  "not_supported",
  "overloaded_error",
  "timeout_error",
  "api_error",
]);

function isKind(type: string): type is ErrorKind {
  return kinds.has(type);
}
