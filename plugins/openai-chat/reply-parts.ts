/** What of a reply of the hub has a field of its own in a message of this wire, gathered block by block. */

import type { Json } from "../../sdk/body.ts";
import type { JsonObject } from "../../sdk/events.ts";
import { record, text } from "../../sdk/hub/json.ts";
import { packThinking } from "./thinking-blocks.ts";
import type { WireAnnotation, WireFinishReason, WireUsage } from "./wire.ts";

export class ReplyParts {
  readonly #thinking: JsonObject[] = [];
  readonly #annotations: WireAnnotation[] = [];
  #calls = 0;
  /** Characters of the text so far. */
  #length = 0;

  /** How many calls there were. */
  get calls(): number {
    return this.#calls;
  }

  /** Beside text and calls: `annotations` and `thinking_blocks`, where there are any. */
  get extensions(): JsonObject {
    return {
      ...(this.#annotations.length === 0 ? {} : { annotations: this.#annotations }),
      ...(this.#thinking.length === 0 ? {} : { thinking_blocks: this.#thinking }),
    };
  }

  call(): void {
    this.#calls += 1;
  }

  /** A block of text: what it says was taken from the pages it cites. */
  text(length: number, citations: readonly Json[]): void {
    const start = this.#length;
    this.#length += length;
    for (const citation of citations) this.#cite(record(citation) ?? {}, start, this.#length);
  }

  /** What nobody signed cannot be given back to anybody. */
  thinking(block: JsonObject): void {
    if ((text(block["signature"]) ?? text(block["data"]) ?? "") === "") return;
    this.#thinking.push(packThinking(block, { hasText: this.#length > 0, calls: this.#calls }));
  }

  /** Results of a search that the upstream made. */
  results(content: Json | undefined): void {
    if (!Array.isArray(content)) return;
    for (const result of content) {
      const found = record(result);
      if (found?.["type"] === "web_search_result") this.#cite(found, this.#length, this.#length);
    }
  }

  #cite(source: JsonObject, start_index: number, end_index: number): void {
    const url = text(source["url"]);
    if (url === undefined) return;
    this.#annotations.push({ type: "url_citation", url_citation: { url, title: text(source["title"]) ?? url, start_index, end_index } });
  }
}

export function finishReason(stopReason: Json | undefined): WireFinishReason {
  return finishReasons.get(text(stopReason) ?? "") ?? "stop";
}

const finishReasons: ReadonlyMap<string, WireFinishReason> = new Map<string, WireFinishReason>([
  ["max_tokens", "length"],
  ["model_context_window_exceeded", "length"],
  ["tool_use", "tool_calls"],
  ["refusal", "content_filter"],
]);

/** Cached tokens are among the input here. */
export function wireUsage(usage: JsonObject): WireUsage {
  const read = count(usage["cache_read_input_tokens"]);
  const written = count(usage["cache_creation_input_tokens"]);
  const prompt_tokens = count(usage["input_tokens"]) + read + written;
  const completion_tokens = count(usage["output_tokens"]);
  const reasoning = count(record(usage["output_tokens_details"])?.["thinking_tokens"]);
  return {
    prompt_tokens,
    completion_tokens,
    total_tokens: prompt_tokens + completion_tokens,
    prompt_tokens_details: { cached_tokens: read, cache_write_tokens: written },
    ...(reasoning === 0 ? {} : { completion_tokens_details: { reasoning_tokens: reasoning } }),
  };
}

function count(value: Json | undefined): number {
  return typeof value === "number" && value > 0 ? value : 0;
}
