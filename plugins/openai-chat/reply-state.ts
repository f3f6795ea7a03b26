/** One reply of this wire, told in the hub's events as its pieces come. */

import type { Json } from "../../sdk/body.ts";
import { ProxyError } from "../../sdk/errors.ts";
import type { JsonObject } from "../../sdk/events.ts";
import type { Conversation } from "../../sdk/hub/conversation.ts";
import { seal } from "../../sdk/hub/envelope.ts";
import { record, text } from "../../sdk/hub/json.ts";
import { MessageWriter, type StopReason } from "../../sdk/hub/message-writer.ts";
import type { ToolNames } from "../../sdk/hub/tool-names.ts";
import type { ChatQuirks } from "../../sdk/quirks.ts";
import type { Note, Target } from "../../sdk/wire.ts";
import { findError, toProxyError } from "./read-error.ts";
import { joinDetails, records, type ReasoningField, type ReasoningPayload } from "./reasoning.ts";
import { Sources } from "./sources.ts";
import { type TaggedPiece, ThinkTags } from "./think-tags.ts";
import { ToolCalls } from "./tool-calls.ts";
import { findUsage, readUsage } from "./usage.ts";

export interface ReplyContext {
  readonly target: Target;
  readonly names: ToolNames;
  readonly conversation: Conversation;
  readonly estimatedInputTokens: number;
  readonly note: Note;
}

/** What some proxies say in place of reasoning that they may not show. */
const noReasoning = "[reasoning unavailable]";

export class ChatReply {
  readonly #context: ReplyContext;
  readonly #quirks: ChatQuirks;
  readonly #writer: MessageWriter;
  readonly #calls: ToolCalls;
  readonly #sources: Sources;
  readonly #tags: ThinkTags | undefined;
  /** Where the reasoning that is being told comes from; undefined while none is. */
  #reasoning: ReasoningField | undefined;
  /** Pieces of `reasoning_details` that are not sealed yet. */
  #details: JsonObject[] = [];
  /** As the wire has it. */
  #finishReason: string | undefined;
  #isIdentified = false;
  failure: ProxyError | undefined;

  constructor(context: ReplyContext) {
    const { target, names, conversation, estimatedInputTokens } = context;
    this.#context = context;
    this.#quirks = target.quirks.chat ?? {};
    this.#writer = new MessageWriter({ model: target.model, inputTokens: estimatedInputTokens });
    const [only, ...others] = conversation.tools;
    this.#calls = new ToolCalls(this.#writer, names, others.length === 0 ? only?.name : undefined);
    this.#sources = new Sources(this.#writer, target.producer);
    this.#tags = this.#quirks.thinkTags === true ? new ThinkTags() : undefined;
  }

  take(): readonly JsonObject[] {
    return this.#writer.take();
  }

  get isOver(): boolean {
    return this.#writer.isOver;
  }

  /** One event of a stream, or a whole reply. */
  push(event: JsonObject): void {
    if (this.isOver) return;
    const choices = event["choices"];
    const choice = Array.isArray(choices) ? firstChoice(choices) : undefined;
    const error = findError(event) ?? (choice === undefined ? undefined : findError(choice));
    if (error !== undefined) {
      this.#fail(toProxyError(error, { status: undefined, headers: [] }, this.#context.target));
      return;
    }
    if (!this.#isIdentified) this.#identify(event);
    const usage = findUsage(event, choice);
    if (usage !== undefined) this.#count(usage);
    if (choice !== undefined) this.#choice(choice);
    const results = event["search_results"] ?? event["citations"];
    if (Array.isArray(results)) this.#sources.list(results);
  }

  /** The wire's own end: `[DONE]`, or the end of a whole reply. */
  done(): void {
    if (this.isOver) return;
    this.#settle();
    if (this.#finishReason === undefined && !this.#writer.hasContent) {
      this.#fail(new ProxyError("The upstream's answer is empty.", { status: 502, kind: "api_error" }));
      return;
    }
    const { conversation, note } = this.#context;
    if (conversation.webSearch !== undefined) this.#sources.tell(lastQuestion(conversation));
    if (this.#writer.isEstimated) note("usage estimated: the upstream did not count");
    this.#writer.finish();
  }

  /** No more bytes. Without a reason to finish the reply was cut off. */
  end(): void {
    if (this.isOver) return;
    if (this.#finishReason !== undefined) this.done();
    else this.#fail(new ProxyError("The upstream ended its stream before the answer was complete.", { status: 502, kind: "api_error" }));
  }

  /** Ends the reply in an error. */
  broken(message: string): void {
    this.#fail(new ProxyError(message, { status: 502, kind: "api_error" }));
  }

  #identify(event: JsonObject): void {
    const id = text(event["id"]);
    const model = text(event["model"]);
    if (id === undefined && model === undefined) return;
    this.#isIdentified = true;
    this.#writer.identify({ ...(id === undefined || id === "" ? {} : { id }), ...(model === undefined || model === "" ? {} : { model }) });
  }

  #count(usage: JsonObject): void {
    const counts = readUsage(usage, this.#quirks.reasoningOutsideOutput === true);
    if (counts !== undefined) this.#writer.usage(counts);
  }

  #choice(choice: JsonObject): void {
    const delta = record(choice["delta"]) ?? record(choice["message"]);
    if (delta !== undefined) this.#delta(delta);
    const reason = choice["finish_reason"];
    if (typeof reason === "string" && reason !== "") this.#finish(reason, choice);
  }

  #delta(delta: JsonObject): void {
    this.#think(delta);
    const { content, refusal, tool_calls, function_call, annotations } = delta;
    if (typeof content === "string") this.#content(content);
    else if (Array.isArray(content)) this.#parts(content);
    if (typeof refusal === "string" && refusal !== "") {
      this.#text(refusal);
      this.#writer.stop("refusal");
    }
    if (Array.isArray(annotations)) this.#sources.cite(annotations);
    if (Array.isArray(tool_calls) && tool_calls.length > 0) {
      this.#seal();
      this.#calls.push(tool_calls);
    }
    const legacy = record(function_call);
    if (legacy !== undefined) {
      this.#seal();
      this.#calls.pushLegacy(legacy);
    }
  }

  /** Some hosts say the same in two fields: the first that says anything counts. */
  #think(delta: JsonObject): void {
    const details = delta["reasoning_details"];
    const pieces = Array.isArray(details) ? records(details) : [];
    if (pieces.length > 0) this.#details.push(...pieces);
    const content = text(delta["reasoning_content"]);
    if (content !== undefined && content !== "") return this.#reason(content, "reasoning_content");
    const words = pieces.map((piece) => text(piece["text"]) ?? text(piece["summary"]) ?? "").join("");
    if (words !== "") return this.#reason(words, "reasoning_details");
    const reasoning = text(delta["reasoning"]);
    if (reasoning !== undefined && reasoning !== "") this.#reason(reasoning, "reasoning");
  }

  #reason(words: string, field: ReasoningField): void {
    if (words.trim() === noReasoning) return;
    this.#calls.settle();
    this.#reasoning = field;
    this.#writer.thinking(words);
  }

  #parts(parts: readonly Json[]): void {
    for (const value of parts) {
      const part = record(value);
      if (part === undefined) continue;
      const { type, thinking } = part;
      if (type === "thinking")
        this.#reason(Array.isArray(thinking) ? thinking.map(partText).join("") : partText(thinking), "thinking_parts");
      else if (type === "text") this.#content(partText(part));
      else if (type === "refusal") this.#text(text(part["refusal"]) ?? "");
    }
  }

  #content(piece: string): void {
    if (piece === "") return;
    if (this.#tags === undefined) this.#text(piece);
    else this.#tagged(this.#tags.push(piece));
  }

  #tagged(pieces: readonly TaggedPiece[]): void {
    for (const piece of pieces) {
      if (piece.isThinking) this.#reason(piece.text, "reasoning_content");
      else this.#text(piece.text);
    }
  }

  #text(piece: string): void {
    if (piece === "") return;
    if (this.#reasoning !== undefined) this.#seal();
    if (this.#calls.hasAny) this.#calls.settle();
    this.#writer.text(piece);
  }

  /** Ends the reasoning that is being told with what its producer needs to have it back. */
  #seal(): void {
    if (this.#reasoning === undefined && this.#details.length === 0) return;
    const details = joinDetails(this.#details);
    const payload: ReasoningPayload =
      details.length > 0 ? { field: "reasoning_details", details } : { field: this.#reasoning ?? "reasoning_details" };
    this.#writer.signature(seal({ producer: this.#context.target.producer, payload }));
    this.#reasoning = undefined;
    this.#details = [];
  }

  #settle(): void {
    if (this.#tags !== undefined) this.#tagged(this.#tags.end());
    this.#seal();
    this.#calls.finish();
  }

  #finish(reason: string, choice: JsonObject): void {
    // Said again, be it an error of whatever the host does afterwards, it changes nothing about a whole answer.
    if (this.#finishReason !== undefined) return;
    this.#finishReason = reason;
    const failure = finishFailures.get(reason);
    if (failure !== undefined) {
      this.#fail(new ProxyError(failure.message, failure));
      return;
    }
    this.#settle();
    const { conversation } = this.#context;
    const matched = text(choice["stop_reason"]);
    if (reason === "stop" && matched !== undefined && conversation.stopSequences.includes(matched)) {
      this.#writer.stop("stop_sequence", matched);
      return;
    }
    this.#writer.stop(stopReasons.get(reason) ?? "end_turn");
  }

  #fail(error: ProxyError): void {
    if (this.isOver) return;
    this.failure = error;
    this.#writer.fail({ type: error.kind, message: error.message });
  }
}

/** Others were not asked for; some hosts leave the index out. */
function firstChoice(choices: readonly Json[]): JsonObject | undefined {
  for (const value of choices) {
    const choice = record(value);
    if (choice !== undefined && (choice["index"] ?? 0) === 0) return choice;
  }
  return undefined;
}

function partText(part: Json | undefined): string {
  return text(part) ?? text(record(part)?.["text"]) ?? "";
}

/** Enough to show what was searched for. */
const longestQuery = 256;

function lastQuestion({ turns }: Conversation): string {
  const last = turns.findLast((turn) => turn.role === "user");
  const words = last?.role === "user" ? last.parts.flatMap((part) => (part.type === "text" ? [part.text] : [])) : [];
  return (words.at(-1) ?? "").slice(0, longestQuery);
}

const stopReasons: ReadonlyMap<string, StopReason> = new Map<string, StopReason>([
  ["stop", "end_turn"],
  ["length", "max_tokens"],
  ["tool_calls", "tool_use"],
  ["function_call", "tool_use"],
  ["content_filter", "refusal"],
  ["sensitive", "refusal"],
  ["model_length", "model_context_window_exceeded"],
]);

type Failure = { readonly status: number; readonly kind: "api_error" | "overloaded_error"; readonly message: string };

/** By the reason to finish. */
export const finishFailures: ReadonlyMap<string, Failure> = new Map<string, Failure>([
  ["error", { status: 502, kind: "api_error", message: "The upstream ended its answer in an error." }],
  ["network_error", { status: 502, kind: "api_error", message: "The upstream ended its answer in a network error." }],
  ["insufficient_system_resource", { status: 503, kind: "overloaded_error", message: "The upstream broke off: it is short of resources." }],
]);
