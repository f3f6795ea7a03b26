/** Makes parts of this wire out of events of the hub: calls whole, thinking packed onto what follows it. */

import type { JsonObject } from "../../sdk/events.ts";
import { record, text } from "../../sdk/hub/json.ts";
import type { ToolNames } from "../../sdk/hub/tool-names.ts";
import { pack } from "./client-state.ts";
import { GroundingMaker } from "./grounding-maker.ts";
import { parseObject, type WireFunctionCall } from "./wire.ts";

export interface PartOptions {
  readonly names: ToolNames;
  /** Whether the client asked to see what the model thinks. */
  readonly thoughts: boolean;
}

interface Block {
  readonly type: string;
  readonly start: JsonObject;
  /** Of thinking or of an input. */
  pieces: string[];
  signature: string;
}

export class PartMaker {
  readonly #options: PartOptions;
  readonly #blocks = new Map<unknown, Block>();
  readonly #grounding = new GroundingMaker();
  /** Thinking that no part carries yet. */
  #unpacked: JsonObject[] = [];
  #broken = false;

  constructor(options: PartOptions) {
    this.#options = options;
  }

  /** Whether a call was left out because its input was no JSON. */
  get isBroken(): boolean {
    return this.#broken;
  }

  /** @param event of a content block */
  push(event: JsonObject): readonly JsonObject[] {
    switch (text(event["type"]) ?? "") {
      case "content_block_start":
        return this.#start(event);
      case "content_block_delta":
        return this.#delta(this.#blocks.get(event["index"]), record(event["delta"]) ?? {});
      case "content_block_stop":
        return this.#stop(event);
      default:
        return [];
    }
  }

  /** What is left at the end: thinking that nothing followed. */
  rest(): readonly JsonObject[] {
    const signature = this.#signature();
    return Object.keys(signature).length === 0 ? [] : [{ text: "", ...signature }];
  }

  /** `groundingMetadata`, where there was a search. */
  grounding(): JsonObject | undefined {
    return this.#grounding.metadata();
  }

  #start(event: JsonObject): readonly JsonObject[] {
    const start = record(event["content_block"]) ?? {};
    const block: Block = { type: text(start["type"]) ?? "", start, pieces: [], signature: text(start["signature"]) ?? "" };
    this.#blocks.set(event["index"], block);
    switch (block.type) {
      case "text":
        this.#grounding.startText();
        return this.#text(text(start["text"]) ?? "");
      case "thinking":
        return this.#thought(block, text(start["thinking"]) ?? "");
      case "redacted_thinking":
        this.#unpacked.push(start);
        return [];
      case "web_search_tool_result":
        this.#grounding.results(start);
        return [];
      default:
        return [];
    }
  }

  #delta(block: Block | undefined, delta: JsonObject): readonly JsonObject[] {
    if (block === undefined) return [];
    switch (text(delta["type"]) ?? "") {
      case "text_delta":
        return block.type === "text" ? this.#text(text(delta["text"]) ?? "") : [];
      case "thinking_delta":
        return this.#thought(block, text(delta["thinking"]) ?? "");
      case "signature_delta":
        block.signature = text(delta["signature"]) ?? block.signature;
        return [];
      case "input_json_delta":
        block.pieces.push(text(delta["partial_json"]) ?? "");
        return [];
      case "citations_delta":
        this.#grounding.citation(record(delta["citation"]) ?? {});
        return [];
      default:
        return [];
    }
  }

  #stop(event: JsonObject): readonly JsonObject[] {
    const block = this.#blocks.get(event["index"]);
    this.#blocks.delete(event["index"]);
    if (block === undefined) return [];
    switch (block.type) {
      case "thinking":
        // Without a signature nobody takes it back.
        if (block.signature !== "") this.#unpacked.push({ ...block.start, thinking: block.pieces.join(""), signature: block.signature });
        return [];
      case "tool_use":
        return this.#call(block);
      case "server_tool_use":
        this.#grounding.query(inputOf(block) ?? {});
        return [];
      case "text":
        this.#grounding.endText();
        return [];
      default:
        return [];
    }
  }

  #text(words: string): readonly JsonObject[] {
    if (words === "") return [];
    this.#grounding.text(words);
    return [{ text: words, ...this.#signature() }];
  }

  #thought(block: Block, words: string): readonly JsonObject[] {
    if (words === "" || block.type !== "thinking") return [];
    block.pieces.push(words);
    return this.#options.thoughts ? [{ text: words, thought: true }] : [];
  }

  /** Half of a call is none: a reply that was cut must not make anybody run it. */
  #call(block: Block): readonly JsonObject[] {
    const args = inputOf(block);
    this.#broken ||= args === undefined;
    if (args === undefined) return [];
    const id = text(block.start["id"]);
    const name = this.#options.names.original(text(block.start["name"]) ?? "");
    const functionCall: WireFunctionCall = { ...(id === undefined ? {} : { id }), name, args };
    return [{ functionCall, ...this.#signature() }];
  }

  #signature(): JsonObject {
    const blocks = this.#unpacked;
    this.#unpacked = [];
    return blocks.length === 0 ? {} : { thoughtSignature: pack(blocks) };
  }
}

function inputOf({ start, pieces }: Block): JsonObject | undefined {
  const json = pieces.join("");
  return json === "" ? (record(start["input"]) ?? {}) : parseObject(json);
}
