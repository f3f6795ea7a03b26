/** Finds changes to tool calls in replies: a client carries these calls out on the user's machine. */

import { isDeepStrictEqual } from "node:util";

import type { Json } from "../body.ts";
import type { JsonObject, ToolGuard } from "../events.ts";
import { record, text } from "./json.ts";

/** What an event or a message says about calls, piece by piece. */
interface Part {
  readonly path: string;
  readonly value: Json;
}

export class AnthropicToolGuard implements ToolGuard {
  /** Blocks that are calls, by the index that the original events call them. */
  readonly #calls = new Set<Json | undefined>();

  change(original: JsonObject, replacement: readonly JsonObject[]): string | undefined {
    if (original["type"] === "content_block_start") {
      if (isCall(original["content_block"])) this.#calls.add(original["index"]);
      else this.#calls.delete(original["index"]);
    }
    const after = replacement.flatMap((event) => this.#parts(event));
    return firstDifference(this.#parts(original), after);
  }

  #parts(event: JsonObject): readonly Part[] {
    const index = event["index"] ?? null;
    switch (text(event["type"]) ?? "") {
      case "message_start":
        return messageParts(record(event["message"]) ?? {}, "message_start.message.");
      case "content_block_start": {
        const block = event["content_block"];
        return isCall(block) ? [{ path: `content_block_start.content_block${nameOf(block)}`, value: [index, block ?? null] }] : [];
      }
      case "content_block_delta": {
        const delta = record(event["delta"]) ?? {};
        const isInput = delta["type"] === "input_json_delta" || this.#calls.has(index);
        return isInput ? [{ path: `content_block_delta.delta of block ${JSON.stringify(index)}`, value: [index, delta] }] : [];
      }
      case "content_block_stop":
        return this.#calls.has(index) ? [{ path: `content_block_stop of block ${JSON.stringify(index)}`, value: index }] : [];
      case "message_delta":
        return stopParts(record(event["delta"]) ?? {}, "message_delta.delta.");
      default:
        return [];
    }
  }
}

/** @returns the path of the first call that was added, removed or changed; undefined when none was */
export function findToolChange(original: JsonObject, changed: JsonObject): string | undefined {
  return (
    firstDifference(messageParts(original, ""), messageParts(changed, "")) ??
    firstDifference(stopParts(original, ""), stopParts(changed, ""))
  );
}

function messageParts(message: JsonObject, prefix: string): readonly Part[] {
  const content = message["content"];
  if (!Array.isArray(content)) return [];
  return content.flatMap((block: Json, index) =>
    isCall(block) ? [{ path: `${prefix}content[${index}]${nameOf(block)}`, value: block }] : [],
  );
}

/** It decides whether a client carries the calls out or goes on without. */
function stopParts(message: JsonObject, prefix: string): readonly Part[] {
  return message["stop_reason"] === "tool_use" ? [{ path: `${prefix}stop_reason`, value: "tool_use" }] : [];
}

function isCall(block: Json | undefined): boolean {
  return /(^|_)tool_use$/.test(text(record(block)?.["type"]) ?? "");
}

function nameOf(block: Json | undefined): string {
  const name = text(record(block)?.["name"]);
  return name === undefined ? "" : ` (${name.slice(0, 100)})`;
}

function firstDifference(before: readonly Part[], after: readonly Part[]): string | undefined {
  for (let place = 0; place < Math.max(before.length, after.length); place++) {
    const was = before[place];
    const is = after[place];
    if (was === undefined) return `${is?.path} was added`;
    if (is === undefined) return `${was.path} was removed`;
    if (!isDeepStrictEqual(was.value, is.value)) return `${was.path} was changed`;
  }
  return undefined;
}
