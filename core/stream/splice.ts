/** The events of a reply that goes on where another broke off, so that the two are one. */

import type { JsonObject } from "../../sdk/events.ts";
import { record, text } from "../../sdk/hub/json.ts";
import { type ToldSoFar, count } from "./told-so-far.ts";

/** Counts of what was asked: the caller takes them for the size of its conversation, which has not changed. */
const ofTheRequest = ["input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens"];

export class Splice {
  readonly #told: ToldSoFar;
  /** By index in the reply that goes on. */
  readonly #blocks = new Map<unknown, number>();
  /** White space that was given, but could not stand at the end of what was gone on from: said again, it is dropped. */
  #given: string;
  /** Usage of the reply that broke, as far as it was told. */
  readonly #start: JsonObject | undefined;
  readonly #outputTokens: number;

  constructor(told: ToldSoFar, given: string) {
    this.#told = told;
    this.#start = told.start;
    this.#outputTokens = told.outputTokens;
    this.#given = given;
  }

  /** The same object where an event needs no change. */
  push(event: JsonObject): readonly JsonObject[] {
    switch (text(event["type"]) ?? "") {
      case "message_start":
        return this.#start === undefined ? [event] : [];
      case "content_block_start":
        return this.#begin(event);
      case "content_block_delta":
        return this.#delta(event);
      case "content_block_stop":
        return [this.#placed(event)];
      case "message_delta":
        return [...this.#close(), this.#counted(event)];
      default:
        return [event];
    }
  }

  #begin(event: JsonObject): readonly JsonObject[] {
    const block = record(event["content_block"]);
    const { openBlock, nextBlock } = this.#told;
    if (openBlock !== undefined && block?.["type"] === "text") {
      this.#blocks.set(event["index"], openBlock);
      const words = this.#unsaid(text(block["text"]) ?? "");
      return words === "" ? [] : [{ type: "content_block_delta", index: openBlock, delta: { type: "text_delta", text: words } }];
    }
    if (block?.["type"] !== "text") this.#given = "";
    this.#blocks.set(event["index"], nextBlock);
    return [...this.#close(), this.#placed(event)];
  }

  #delta(event: JsonObject): readonly JsonObject[] {
    const delta = record(event["delta"]);
    const words = delta?.["type"] === "text_delta" ? text(delta["text"]) : undefined;
    if (words === undefined || this.#given === "") return [this.#placed(event)];
    const unsaid = this.#unsaid(words);
    if (unsaid === words) return [this.#placed(event)];
    return unsaid === "" ? [] : [this.#placed({ ...event, delta: { ...delta, text: unsaid } })];
  }

  #unsaid(words: string): string {
    let same = 0;
    while (same < words.length && words[same] === this.#given[same]) same++;
    // What differs ends the repetition; what is the same may go on in the next piece.
    this.#given = same === words.length ? this.#given.slice(same) : "";
    return words.slice(same);
  }

  /** The block that was open when the reply broke, and still is. */
  #close(): readonly JsonObject[] {
    const { openBlock } = this.#told;
    return openBlock === undefined ? [] : [{ type: "content_block_stop", index: openBlock }];
  }

  #placed(event: JsonObject): JsonObject {
    const index = this.#blocks.get(event["index"]);
    return index === undefined || index === event["index"] ? event : { ...event, index };
  }

  #counted(event: JsonObject): JsonObject {
    const usage = record(event["usage"]);
    const start = this.#start;
    if (usage === undefined || start === undefined) return event;
    const asked = ofTheRequest.flatMap((name) =>
      usage[name] === undefined || start[name] === undefined ? [] : [[name, start[name]] as const],
    );
    return {
      ...event,
      usage: { ...usage, ...Object.fromEntries(asked), output_tokens: this.#outputTokens + count(usage["output_tokens"]) },
    };
  }
}
