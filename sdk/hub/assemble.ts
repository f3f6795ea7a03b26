/** Puts a message together from the events that told it, as the vendor's own clients do, and keeps what it does not know. */

import type { Json } from "../body.ts";
import type { JsonObject, MessageAssembler } from "../events.ts";
import { parseExactly } from "./exact-json.ts";
import { record, text } from "./json.ts";

export class AnthropicAssembler implements MessageAssembler {
  #message: JsonObject | undefined;
  /** By the index that the events call them; in the order in which they began. */
  readonly #blocks = new Map<Json | undefined, Block>();
  complete = false;

  push(event: JsonObject): void {
    switch (text(event["type"]) ?? "") {
      case "message_start":
        this.#message ??= record(event["message"]);
        return;
      case "content_block_start":
        this.#blocks.set(event["index"], new Block(event["content_block"] ?? null));
        return;
      case "content_block_delta":
        this.#blocks.get(event["index"])?.add(record(event["delta"]) ?? {});
        return;
      case "message_delta":
        this.#finish(event);
        return;
      case "message_stop":
        this.complete = this.#message !== undefined;
        return;
      default:
    }
  }

  #finish(event: JsonObject): void {
    if (this.#message === undefined) return;
    const counts = Object.entries(record(event["usage"]) ?? {}).filter(([, count]) => count !== null);
    const usage = { ...record(this.#message["usage"]), ...Object.fromEntries(counts) };
    const said = [...Object.entries(record(event["delta"]) ?? {}), ...Object.entries(event).filter(([key]) => key !== "delta")];
    this.#message = {
      ...this.#message,
      ...Object.fromEntries(said.filter(([key]) => !saidOtherwise.has(key))),
      ...(counts.length === 0 ? {} : { usage }),
    };
  }

  message(): string | undefined {
    if (this.#message === undefined) return undefined;
    const begun = this.#message["content"];
    const blocks = [...this.#blocks.values()].map((block) => block.value());
    const content = Array.isArray(begun) ? [...begun, ...blocks] : blocks;
    return JSON.stringify(blocks.length === 0 && !Array.isArray(begun) ? this.#message : { ...this.#message, content });
  }
}

/** Fields of a message that its last event has no say in. */
const saidOtherwise = new Set(["type", "role", "content", "usage"]);

class Block {
  #value: Json;
  /** Text of the input of a tool, as far as it came. */
  #input = "";

  constructor(value: Json) {
    this.#value = value;
  }

  add({ type, ...delta }: JsonObject): void {
    const block = record(this.#value);
    if (block === undefined) return;
    switch (text(type) ?? "") {
      case "input_json_delta":
        this.#input += text(delta["partial_json"]) ?? "";
        return;
      case "citations_delta": {
        const known = block["citations"];
        this.#value = { ...block, citations: [...(Array.isArray(known) ? known : []), delta["citation"] ?? null] };
        return;
      }
      case "text_delta":
      case "thinking_delta":
        this.#value = { ...block, ...grown(block, delta) };
        return;
      default:
        // A signature or a compaction comes whole; so may whatever comes after this version.
        this.#value = { ...block, ...delta };
    }
  }

  value(): Json {
    const block = record(this.#value);
    return block === undefined || this.#input === "" ? this.#value : { ...block, input: parsedInput(this.#input) };
  }
}

function grown(block: JsonObject, delta: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(delta).map(([key, piece]) => [key, join(block[key], piece)]));
}

function join(known: Json | undefined, piece: Json): Json {
  return typeof known === "string" && typeof piece === "string" ? known + piece : piece;
}

/** An input that was cut off is neither mended nor dropped: its text stands for it. */
function parsedInput(json: string): Json {
  try {
    return parseExactly(json);
  } catch {
    return json;
  }
}
