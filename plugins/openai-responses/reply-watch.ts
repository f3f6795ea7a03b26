/** Watches bytes of this wire go by: a search for the names of the last events in each chunk, no parsing but of the end. */

import type { Json } from "../../sdk/body.ts";
import type { ReplySummary, ReplyWatch, Usage } from "../../sdk/dialect.ts";
import { type JsonRecord, record, text } from "../../sdk/hub/json.ts";
import { readUsage } from "./usage.ts";

/** Usage stands near the end of the last event, before what the client labelled its request with. */
const tailBytes = 16 * 1024;
/** An error stands near its beginning. */
const headBytes = 4 * 1024;

export function watchReply(contentType: string): ReplyWatch {
  return contentType.toLowerCase().startsWith("text/event-stream") ? new EventWatch() : new JsonWatch();
}

class JsonWatch implements ReplyWatch {
  readonly #tail = new Tail();

  push(chunk: Uint8Array): void {
    this.#tail.push(chunk);
  }

  betweenEvents(): boolean {
    return false;
  }

  end(): ReplySummary {
    return { complete: true, error: undefined, usage: lastUsage(this.#tail.last(tailBytes).toString("utf8")) };
  }
}

/**
 * An event begins with its name, or, at hosts that leave names out, with its type. Neither can stand in a text: the
 * line break before a field cannot, since a text of JSON holds none.
 */
const ends: readonly (readonly [needle: Buffer, end: "complete" | "error"])[] = [
  [Buffer.from("event: response.completed"), "complete"],
  [Buffer.from("event: response.incomplete"), "complete"],
  [Buffer.from("event: response.failed"), "error"],
  [Buffer.from("event: error"), "error"],
  [Buffer.from('data: {"type":"response.completed"'), "complete"],
  [Buffer.from('data: {"type":"response.incomplete"'), "complete"],
  [Buffer.from('data: {"type":"response.failed"'), "error"],
  [Buffer.from('data: {"type":"error"'), "error"],
];
const longestNeedle = Math.max(...ends.map(([needle]) => needle.length));

class EventWatch implements ReplyWatch {
  readonly #tail = new Tail();
  /** The last bytes of the chunk before, where a name may have begun. */
  #border: Buffer = Buffer.from("\n");
  #end: "complete" | "error" | undefined;
  /** Of the last event, as far as it is kept. */
  readonly #head: Uint8Array[] = [];
  #headLength = 0;

  push(chunk: Uint8Array): void {
    this.#tail.push(chunk);
    if (this.#end !== undefined) {
      this.#keepHead(chunk);
      return;
    }
    const bytes = Buffer.concat([this.#border, chunk]);
    for (const [needle, end] of ends) {
      const at = findLine(bytes, needle);
      if (at === -1) continue;
      this.#end = end;
      this.#keepHead(bytes.subarray(at));
      return;
    }
    this.#border = bytes.subarray(-longestNeedle - 1);
  }

  isOver(): boolean {
    return this.#end === "complete" && this.betweenEvents();
  }

  betweenEvents(): boolean {
    const last = this.#tail.last(4).toString("latin1");
    return last === "" || /(\n\n|\n\r\n|\r\r)$/.test(last);
  }

  end(): ReplySummary {
    const tail = this.#tail.last(tailBytes).toString("utf8");
    const usage = this.#end === undefined ? undefined : lastUsage(tail);
    if (this.#end !== "error") return { complete: this.#end === "complete", error: undefined, usage };
    const error = errorOf(Buffer.concat(this.#head).toString("utf8"));
    return { complete: false, error: error.type, errorMessage: error.message, usage };
  }

  #keepHead(bytes: Uint8Array): void {
    if (this.#headLength >= headBytes) return;
    this.#head.push(bytes);
    this.#headLength += bytes.length;
  }
}

/** Where a line begins so, behind the byte before it. */
function findLine(bytes: Buffer, needle: Buffer): number {
  for (let at = bytes.indexOf(needle, 1); at !== -1; at = bytes.indexOf(needle, at + 1)) {
    const before = bytes[at - 1];
    if (before === 0x0a || before === 0x0d) return at;
  }
  return -1;
}

function errorOf(event: string): { readonly type: string; readonly message: string | undefined } {
  const nested = /"error"\s*:\s*(?=\{)/.exec(event);
  const data = /data: ?(?=\{)/.exec(event);
  const found = nested ?? data;
  const error = found === null ? undefined : objectAt(event, found.index + found[0].length);
  return { type: text(error?.["code"]) ?? text(error?.["type"]) ?? "error", message: text(error?.["message"]) };
}

/** The last object under the key; `null`, as in the first events, is none. */
function lastUsage(tail: string): Usage | undefined {
  for (let at = tail.lastIndexOf('"usage"'); at >= 0; at = at === 0 ? -1 : tail.lastIndexOf('"usage"', at - 1)) {
    const key = /^"usage"\s*:\s*(?=\{)/.exec(tail.slice(at, at + 32));
    const usage = key === null ? undefined : objectAt(tail, at + key[0].length);
    if (typeof usage?.["output_tokens"] !== "number") continue;
    const counts = readUsage(usage);
    return {
      inputTokens: counts.input_tokens,
      outputTokens: counts.output_tokens,
      cacheReadTokens: counts.cache_read_input_tokens,
      cacheWriteTokens: counts.cache_creation_input_tokens,
    };
  }
  return undefined;
}

/** Of what may be cut off. */
function objectAt(json: string, start: number): JsonRecord | undefined {
  let depth = 0;
  let isText = false;
  for (let index = start; index < json.length; index++) {
    const character = json[index];
    if (isText) {
      if (character === "\\") index++;
      else if (character === '"') isText = false;
    } else if (character === '"') isText = true;
    else if (character === "{") depth++;
    else if (character === "}" && --depth === 0) return parse(json.slice(start, index + 1));
  }
  return undefined;
}

function parse(json: string): JsonRecord | undefined {
  try {
    const value: Json = JSON.parse(json);
    return record(value);
  } catch {
    return undefined;
  }
}

/** The last bytes, as references to their chunks. */
class Tail {
  #chunks: Uint8Array[] = [];
  #length = 0;

  push(chunk: Uint8Array): void {
    this.#chunks.push(chunk);
    this.#length += chunk.length;
    if (this.#length > 4 * tailBytes || this.#chunks.length > 256) {
      this.#chunks = [this.last(tailBytes)];
      this.#length = this.#chunks[0]?.length ?? 0;
    }
  }

  last(count: number): Buffer {
    let first = this.#chunks.length;
    for (let length = 0; first > 0 && length < count; length += this.#chunks[first]?.length ?? 0) first--;
    return Buffer.concat(this.#chunks.slice(first)).subarray(-count);
  }
}
