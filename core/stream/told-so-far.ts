/** What a caller was given of a reply before it broke: whether, and how, another could go on with it. */

import type { JsonObject } from "../../sdk/events.ts";
import { record, text } from "../../sdk/hub/json.ts";

export class ToldSoFar {
  #text = "";
  #isTextOnly = true;
  #hasStopReason = false;
  isComplete = false;
  /** `usage` of the first event; undefined before it. */
  start: JsonObject | undefined;
  outputTokens = 0;
  /** Index of the block that has not ended. */
  openBlock: number | undefined;
  nextBlock = 0;

  /** To be asked for every event that is given out, in order. */
  observe(event: JsonObject): void {
    switch (text(event["type"]) ?? "") {
      case "message_start":
        this.start = record(record(event["message"])?.["usage"]) ?? {};
        this.outputTokens = count(this.start["output_tokens"]);
        return;
      case "content_block_start": {
        const block = record(event["content_block"]);
        if (block?.["type"] !== "text") this.#isTextOnly = false;
        this.#text += text(block?.["text"]) ?? "";
        this.openBlock = count(event["index"]);
        this.nextBlock = this.openBlock + 1;
        return;
      }
      case "content_block_delta":
        this.#delta(record(event["delta"]));
        return;
      case "content_block_stop":
        this.openBlock = undefined;
        return;
      case "message_delta":
        if (text(record(event["delta"])?.["stop_reason"]) !== undefined) this.#hasStopReason = true;
        return;
      case "message_stop":
        this.isComplete = true;
        return;
      default:
    }
  }

  #delta(delta: JsonObject | undefined): void {
    if (delta?.["type"] === "text_delta") this.#text += text(delta["text"]) ?? "";
    // Citations belong to the text, and take nothing away from it.
    else if (delta?.["type"] !== "citations_delta") this.#isTextOnly = false;
  }

  /** What another model would have to go on from; undefined where nothing but the whole reply makes sense. */
  get text(): string | undefined {
    return this.#isTextOnly && !this.#hasStopReason && !this.isComplete ? this.#text : undefined;
  }
}

export function count(value: unknown): number {
  return typeof value === "number" && Number.isFinite(value) && value >= 0 ? value : 0;
}
