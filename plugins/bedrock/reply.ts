/** Replies of the Converse wire in the hub's events. A stream comes as server-sent events, see `frames.ts`. */

import { ProxyError } from "../../sdk/errors.ts";
import type { Json } from "../../sdk/body.ts";
import type { JsonObject } from "../../sdk/events.ts";
import { seal } from "../../sdk/hub/envelope.ts";
import { type JsonRecord, record, text } from "../../sdk/hub/json.ts";
import { MessageWriter, type StopReason, type WriterUsage } from "../../sdk/hub/message-writer.ts";
import { SseReader, type SseFields } from "../../sdk/hub/sse.ts";
import { hubToolId } from "../../sdk/hub/tool-ids.ts";
import type { ToolNames } from "../../sdk/hub/tool-names.ts";
import { overflowError, readOverflow } from "../../sdk/hub/upstream-errors.ts";
import type { HubRequest, Note, ReplyReader, StreamDecoder, Target } from "../../sdk/wire.ts";
import type { ReasoningPayload } from "./content.ts";

export interface ReplyContext {
  readonly request: HubRequest;
  readonly target: Target;
  readonly names: ToolNames;
  readonly note: Note;
}

export function createReader(context: ReplyContext): ReplyReader {
  return {
    stream: () => new ConverseDecoder(context),
    whole(reply) {
      const teller = new Teller(context);
      teller.whole(reply);
      return teller.take();
    },
  };
}

class ConverseDecoder implements StreamDecoder {
  readonly #sse = new SseReader();
  readonly #teller: Teller;

  constructor(context: ReplyContext) {
    this.#teller = new Teller(context);
  }

  push(chunk: Uint8Array): readonly JsonObject[] {
    for (const event of this.#sse.push(chunk)) this.#read(event);
    return this.#teller.take();
  }

  end(): readonly JsonObject[] {
    for (const event of this.#sse.end()) this.#read(event);
    this.#teller.end();
    return this.#teller.take();
  }

  #read({ name, data }: SseFields): void {
    const event = parsed(data);
    if (event !== undefined) this.#teller.event(name, event);
  }
}

function parsed(data: string): JsonRecord | undefined {
  try {
    const value: Json = JSON.parse(data);
    return record(value);
  } catch {
    return undefined;
  }
}

/** Of a block that has begun. */
interface Block {
  readonly type: "text" | "reasoning" | "tool" | "other";
  signature: string;
  redacted: string;
}

class Teller {
  readonly #context: ReplyContext;
  readonly #writer: MessageWriter;
  readonly #blocks = new Map<number, Block>();
  /** The block that spoke last: two texts in a row are two blocks. */
  #last: number | undefined;

  constructor(context: ReplyContext) {
    this.#context = context;
    const { target, request } = context;
    this.#writer = new MessageWriter({ model: target.model, inputTokens: request.estimatedInputTokens });
  }

  take(): readonly JsonObject[] {
    return this.#writer.take();
  }

  event(name: string, event: JsonRecord): void {
    switch (name) {
      case "messageStart":
        this.#writer.start();
        return;
      case "contentBlockStart":
        this.#start(indexOf(event), record(event["start"]) ?? {});
        return;
      case "contentBlockDelta":
        this.#delta(indexOf(event), record(event["delta"]) ?? {});
        return;
      case "contentBlockStop":
        this.#stop(indexOf(event));
        return;
      case "messageStop":
        this.#stopped(text(event["stopReason"]) ?? "");
        return;
      case "metadata":
        this.#count(record(event["usage"]));
        // Comes behind the reason of the stop; where it came first, more is to come.
        if (this.#writer.hasStop) this.#finish();
        return;
      case "error": {
        const error = record(event["error"]);
        this.#fail(text(error?.["type"]) ?? "api_error", text(error?.["message"]) ?? "");
        return;
      }
      default:
    }
  }

  end(): void {
    if (this.#writer.isOver) return;
    if (this.#writer.hasStop) this.#finish();
    else this.#writer.fail({ type: "api_error", message: "The upstream's stream ended before its end." });
  }

  /** @throws ProxyError 502 for what is no reply */
  whole(reply: JsonObject): void {
    const message = record(record(reply["output"])?.["message"]);
    if (message === undefined) throw new ProxyError("The upstream's answer holds no message.", { status: 502, kind: "api_error" });
    this.#count(record(reply["usage"]));
    this.#writer.start();
    const content = message["content"];
    for (const [index, item] of (Array.isArray(content) ? content : []).entries()) this.#wholeBlock(index, record(item) ?? {});
    this.#stopped(text(reply["stopReason"]) ?? "");
    if (this.#writer.isOver) throw new ProxyError(malformed, { status: 502, kind: "api_error" });
    this.#finish();
  }

  /** As the stream would have told it. */
  #wholeBlock(index: number, block: JsonRecord): void {
    const words = text(block["text"]) ?? citedText(block["citationsContent"]);
    const reasoning = record(block["reasoningContent"]);
    const toolUse = record(block["toolUse"]);
    if (words !== undefined) {
      this.#delta(index, { text: words });
    } else if (reasoning !== undefined) {
      const said = record(reasoning["reasoningText"]) ?? {};
      for (const delta of [pick(said, "text"), pick(said, "signature"), pick(reasoning, "redactedContent")]) {
        if (delta !== undefined) this.#delta(index, { reasoningContent: delta });
      }
    } else if (toolUse !== undefined) {
      this.#start(index, { toolUse });
      this.#delta(index, { toolUse: { input: JSON.stringify(toolUse["input"] ?? {}) } });
    } else {
      this.#block(index, "other");
    }
    this.#stop(index);
  }

  #start(index: number, start: JsonRecord): void {
    const toolUse = record(start["toolUse"]);
    // Calls that the vendor carries out itself, and what they gave, are no calls for the client.
    if (toolUse === undefined || toolUse["type"] === "server_tool_use") {
      this.#block(index, "other");
      return;
    }
    this.#stop(index);
    this.#block(index, "tool");
    const name = this.#context.names.original(text(toolUse["name"]) ?? "");
    this.#writer.toolStart(index, { id: hubToolId(text(toolUse["toolUseId"])), name });
  }

  #delta(index: number, delta: JsonRecord): void {
    const words = text(delta["text"]);
    const reasoning = record(delta["reasoningContent"]);
    const toolUse = record(delta["toolUse"]);
    if (words !== undefined) {
      this.#block(index, "text");
      this.#writer.text(words);
    } else if (reasoning !== undefined) {
      const block = this.#block(index, "reasoning");
      block.signature += text(reasoning["signature"]) ?? "";
      block.redacted = joined(block.redacted, text(reasoning["redactedContent"]) ?? "");
      this.#writer.thinking(text(reasoning["text"]) ?? "");
    } else if (toolUse !== undefined && this.#blocks.get(index)?.type === "tool") {
      this.#writer.toolInput(index, text(toolUse["input"]) ?? "");
    } else if (delta["citation"] !== undefined) {
      this.#context.note("citations of the reply were left out");
    }
  }

  /** Only calls have a start of their own; the first delta of another block begins it. */
  #block(index: number, type: Block["type"]): Block {
    const known = this.#blocks.get(index);
    if (this.#last !== index && this.#last !== undefined) this.#close(this.#last);
    this.#last = index;
    if (known?.type === type) return known;
    const block: Block = { type, signature: "", redacted: "" };
    this.#blocks.set(index, block);
    return block;
  }

  #stop(index: number): void {
    if (this.#blocks.get(index)?.type === "tool") this.#writer.toolEnd(index);
    else this.#close(index);
    this.#blocks.delete(index);
    if (this.#last === index) this.#last = undefined;
  }

  /** Ends a text, or thinking with what its producer wants back. */
  #close(index: number): void {
    const block = this.#blocks.get(index);
    if (block?.type === "text") this.#writer.endPart();
    if (block?.type !== "reasoning") return;
    if (block.signature !== "") this.#writer.signature(this.#seal({ signature: block.signature }));
    else if (block.redacted !== "") this.#writer.signature(this.#seal({ redacted: block.redacted }));
    else this.#writer.endPart();
    this.#blocks.delete(index);
  }

  #seal(payload: ReasoningPayload): string {
    return seal({ producer: this.#context.target.producer, payload });
  }

  #stopped(reason: string): void {
    if (this.#last !== undefined) this.#stop(this.#last);
    if (reason.startsWith("malformed_")) this.#writer.fail({ type: "api_error", message: malformed });
    else this.#writer.stop(stopReasons.get(reason) ?? "end_turn");
  }

  #finish(): void {
    if (this.#writer.isEstimated) this.#context.note("usage estimated: the upstream did not count");
    this.#writer.finish();
  }

  #fail(type: string, message: string): void {
    const overflow = readOverflow(message);
    const words = overflow === undefined ? message : overflowError(overflow, this.#context.target).message;
    this.#writer.fail({ type: overflow === undefined ? type : "invalid_request_error", message: words });
  }

  /** Cached tokens are counted outside the input, as in the hub. */
  #count(usage: JsonRecord | undefined): void {
    if (usage === undefined) return;
    const details = usage["cacheDetails"];
    const written = (Array.isArray(details) ? details : []).map((detail: Json) => record(detail)).filter((detail) => detail !== undefined);
    const counts: [string, Json | undefined][] = [
      ["input_tokens", usage["inputTokens"]],
      ["output_tokens", usage["outputTokens"]],
      ["cache_read_input_tokens", usage["cacheReadInputTokens"]],
      ["cache_creation_input_tokens", usage["cacheWriteInputTokens"]],
    ];
    const known = Object.fromEntries(counts.filter((count): count is [string, number] => typeof count[1] === "number"));
    const creation = {
      ephemeral_5m_input_tokens: writtenFor(written, "5m"),
      ephemeral_1h_input_tokens: writtenFor(written, "1h"),
    };
    const told: WriterUsage = written.length === 0 ? known : { ...known, cache_creation: creation };
    this.#writer.usage(told);
  }
}

function writtenFor(details: readonly JsonRecord[], ttl: string): number {
  return details.reduce(
    (sum, detail) => sum + (detail["ttl"] === ttl && typeof detail["inputTokens"] === "number" ? detail["inputTokens"] : 0),
    0,
  );
}

function indexOf(event: JsonRecord): number {
  const index = event["contentBlockIndex"];
  return typeof index === "number" ? index : 0;
}

/** Base64 of the bytes of both. */
function joined(one: string, other: string): string {
  if (one === "" || other === "") return one + other;
  return Buffer.concat([Buffer.from(one, "base64"), Buffer.from(other, "base64")]).toString("base64");
}

function pick(object: JsonRecord, field: string): JsonRecord | undefined {
  const value = text(object[field]);
  return value === undefined ? undefined : { [field]: value };
}

/** Text that cites stands in pieces of its own. */
function citedText(value: Json | undefined): string | undefined {
  const content = record(value)?.["content"];
  if (!Array.isArray(content)) return undefined;
  return content.map((piece: Json) => text(record(piece)?.["text"]) ?? "").join("");
}

const malformed = "The model's answer could not be read by the upstream; the same request may work when sent again.";

const stopReasons: ReadonlyMap<string, StopReason> = new Map<string, StopReason>([
  ["end_turn", "end_turn"],
  ["tool_use", "tool_use"],
  ["max_tokens", "max_tokens"],
  ["stop_sequence", "stop_sequence"],
  ["guardrail_intervened", "refusal"],
  ["content_filtered", "refusal"],
  ["model_context_window_exceeded", "model_context_window_exceeded"],
]);
