/**
 * Tells a reply in the hub's events. What to say next may come in any order; what is told is always in the protocol's:
 * one block after the other, each of one type, one end. An order that no client could read cannot be expressed.
 */

import type { Json } from "../body.ts";
import type { JsonObject } from "../events.ts";

export interface WriterOptions {
  readonly model: string;
  /** Said in the first event, until the upstream has counted. */
  readonly inputTokens: number;
}

/** Counts as the hub has them: what was read from a cache or written to one is not among the input. */
export interface WriterUsage {
  readonly input_tokens?: number;
  readonly output_tokens?: number;
  readonly cache_read_input_tokens?: number;
  readonly cache_creation_input_tokens?: number;
  readonly [field: string]: Json | undefined;
}

export type StopReason =
  | "end_turn"
  | "max_tokens"
  | "stop_sequence"
  | "tool_use"
  | "pause_turn"
  | "refusal"
  | "model_context_window_exceeded";

export interface WriterError {
  readonly type: string;
  readonly message: string;
}

interface Part {
  readonly type: "text" | "thinking" | "tool_use" | "whole";
  readonly key: string | number | undefined;
  readonly start: JsonObject;
  /** Waiting until the part before it has ended. */
  deltas: JsonObject[];
  ended: boolean;
}

export class MessageWriter {
  readonly #options: WriterOptions;
  #events: JsonObject[] = [];
  #id: string | undefined;
  #model: string | undefined;
  #started = false;
  #over = false;
  /** In order; only the first one is being told. */
  readonly #parts: Part[] = [];
  #isFirstTold = false;
  #index = 0;
  #usage: WriterUsage = {};
  #stop: { readonly reason: StopReason; readonly sequence: string | null } | undefined;
  #callsTool = false;
  #characters = 0;

  constructor(options: WriterOptions) {
    this.#options = options;
  }

  /** What was told since the last call. */
  take(): readonly JsonObject[] {
    const events = this.#events;
    this.#events = [];
    return events;
  }

  /** Whether the last event, an end or an error, was told; whatever is said after it is not heard. */
  get isOver(): boolean {
    return this.#over;
  }

  get hasStop(): boolean {
    return this.#stop !== undefined;
  }

  /** Whether anything of the answer itself was said. */
  get hasContent(): boolean {
    return this.#index > 0 || this.#parts.length > 0;
  }

  /** Says who answers; before anything else, or never. */
  identify({ id, model }: { readonly id?: string | undefined; readonly model?: string | undefined }): void {
    this.#id ??= id;
    this.#model ??= model;
  }

  /** Counts so far; the last word on each counts. Those known before the first event stand in it. */
  usage(usage: WriterUsage): void {
    this.#usage = { ...this.#usage, ...usage };
  }

  /** The first event, for wires that have one of their own; else it is told with the first part. */
  start(): void {
    if (this.#started || this.#over) return;
    this.#started = true;
    const { input_tokens = this.#options.inputTokens, output_tokens = 0, ...others } = this.#usage;
    this.#events.push({
      type: "message_start",
      message: {
        id: this.#id ?? `msg_${crypto.randomUUID().replaceAll("-", "")}`,
        type: "message",
        role: "assistant",
        model: this.#model ?? this.#options.model,
        content: [],
        stop_reason: null,
        stop_sequence: null,
        usage: { input_tokens, output_tokens, ...counts(others) },
      },
    });
  }

  text(piece: string): void {
    if (piece === "") return;
    this.#characters += piece.length;
    this.#say(
      this.#openPart("text", () => ({ type: "text", text: "" })),
      { type: "text_delta", text: piece },
    );
  }

  /** Of the text that is being told; without one there is nothing to cite for. */
  citation(citation: JsonObject): void {
    const part = this.#parts.at(-1);
    if (part?.type === "text" && !part.ended) this.#say(part, { type: "citations_delta", citation });
  }

  thinking(piece: string): void {
    if (piece === "") return;
    this.#characters += piece.length;
    this.#say(this.#openThinking(), { type: "thinking_delta", thinking: piece });
  }

  /** Ends the thinking that is being told; without any, a block without words carries the signature. */
  signature(signature: string): void {
    const part = this.#openThinking();
    this.#say(part, { type: "signature_delta", signature });
    this.#endPart(part);
  }

  /** @param key by which `toolInput` and `toolEnd` mean this call */
  toolStart(key: string | number, { id, name }: { readonly id: string; readonly name: string }): void {
    if (this.#over) return;
    this.#callsTool = true;
    // Whoever gives a key away is done with the call that had it.
    this.toolEnd(key);
    this.#append({ type: "tool_use", key, start: { type: "tool_use", id, name, input: {} }, deltas: [], ended: false });
  }

  /** A piece of the JSON text of the input; may come while another part is being told, which it then waits for. */
  toolInput(key: string | number, piece: string): void {
    const part = this.#tool(key);
    if (part === undefined || piece === "") return;
    this.#characters += piece.length;
    this.#say(part, { type: "input_json_delta", partial_json: piece });
  }

  toolEnd(key: string | number): void {
    const part = this.#tool(key);
    if (part !== undefined) this.#endPart(part);
  }

  /** A block that comes whole, e.g. the result of a search. */
  block(block: JsonObject): void {
    if (this.#over) return;
    this.#append({ type: "whole", key: undefined, start: block, deltas: [], ended: true });
  }

  /** A call that the upstream carries out itself. */
  serverTool({ id, name, input }: { readonly id: string; readonly name: string; readonly input: JsonObject }): void {
    if (this.#over) return;
    const start = { type: "server_tool_use", id, name, input: {} };
    this.#append({
      type: "whole",
      key: undefined,
      start,
      deltas: [{ type: "input_json_delta", partial_json: JSON.stringify(input) }],
      ended: true,
    });
  }

  /** Ends the text or thinking that is being told: what comes next is a part of its own. */
  endPart(): void {
    const part = this.#parts.at(-1);
    if (part !== undefined && part.type !== "tool_use") this.#endPart(part);
  }

  /** Why the reply ends. Its end is told by `finish`, since counts may come after this. */
  stop(reason: StopReason, sequence: string | null = null): void {
    this.#stop ??= { reason, sequence };
  }

  /** Ends every part and the reply. */
  finish(): void {
    if (this.#over) return;
    this.start();
    for (const part of this.#parts) part.ended = true;
    this.#tell();
    const { reason, sequence } = this.#stop ?? { reason: "end_turn", sequence: null };
    // Whoever reads "the end" behind a call does not carry it out, and whoever reads of a call waits for one.
    const stop_reason = reason === "end_turn" || reason === "tool_use" ? (this.#callsTool ? "tool_use" : "end_turn") : reason;
    const { input_tokens = this.#options.inputTokens, output_tokens = this.#estimate(), ...others } = this.#usage;
    this.#events.push(
      {
        type: "message_delta",
        delta: { stop_reason, stop_sequence: sequence },
        usage: { input_tokens, output_tokens, ...counts(others) },
      },
      { type: "message_stop" },
    );
    this.#over = true;
  }

  /** Whether `finish` had, or will have, to guess a count. */
  get isEstimated(): boolean {
    return this.#usage.input_tokens === undefined || this.#usage.output_tokens === undefined;
  }

  /** Ends the reply in an error. Parts that had begun stay unfinished, so that nobody takes half a call for a whole one. */
  fail(error: WriterError): void {
    if (this.#over) return;
    this.#events.push({ type: "error", error: { type: error.type, message: error.message } });
    this.#over = true;
  }

  /** A token has some four characters. */
  #estimate(): number {
    return Math.ceil(this.#characters / 4);
  }

  #openThinking(): Part {
    return this.#openPart("thinking", () => ({ type: "thinking", thinking: "", signature: "" }));
  }

  #openPart(type: Part["type"], start: () => JsonObject): Part {
    const last = this.#parts.at(-1);
    if (last?.type === type && !last.ended) return last;
    const part: Part = { type, key: undefined, start: start(), deltas: [], ended: false };
    this.#append(part);
    return part;
  }

  /** Of several calls by one key the last one is meant. */
  #tool(key: string | number): Part | undefined {
    return this.#parts.findLast((part) => part.type === "tool_use" && part.key === key && !part.ended);
  }

  #append(part: Part): void {
    if (this.#over) return;
    this.start();
    const last = this.#parts.at(-1);
    // Text and thinking end where something else begins; a call ends when its producer says so.
    if (last !== undefined && last.type !== "tool_use") last.ended = true;
    this.#parts.push(part);
    this.#tell();
  }

  #say(part: Part, delta: JsonObject): void {
    if (this.#over) return;
    if (part === this.#parts[0]) this.#events.push({ type: "content_block_delta", index: this.#index, delta });
    else part.deltas.push(delta);
  }

  #endPart(part: Part): void {
    if (this.#over) return;
    part.ended = true;
    this.#tell();
  }

  /** Tells the first part as far as it goes, and those behind it once it has ended. */
  #tell(): void {
    for (let part = this.#parts[0]; part !== undefined; part = this.#parts[0]) {
      const index = this.#index;
      if (!this.#isFirstTold) {
        this.#events.push({ type: "content_block_start", index, content_block: part.start });
        for (const delta of part.deltas) this.#events.push({ type: "content_block_delta", index, delta });
        part.deltas = [];
        this.#isFirstTold = true;
      }
      if (!part.ended) return;
      this.#events.push({ type: "content_block_stop", index });
      this.#parts.shift();
      this.#isFirstTold = false;
      this.#index += 1;
    }
  }
}

function counts(usage: Readonly<Record<string, Json | undefined>>): JsonObject {
  const { cache_creation_input_tokens = 0, cache_read_input_tokens = 0, ...others } = usage;
  const known = Object.entries(others).filter((entry): entry is [string, Json] => entry[1] !== undefined);
  return { cache_creation_input_tokens, cache_read_input_tokens, ...Object.fromEntries(known) };
}
