/** Watches bytes of this wire go by, looking only at their two ends: a few comparisons per chunk, no parsing of events. */

import type { Json } from "../../sdk/body.ts";
import type { ReplySummary, ReplyWatch, Usage } from "../../sdk/dialect.ts";
import { record } from "../../sdk/hub/json.ts";
import type { WriterUsage } from "../../sdk/hub/message-writer.ts";
import { Needle } from "../../sdk/needle.ts";
import { findError } from "./read-error.ts";
import { readUsage } from "./usage.ts";

/** Some hosts count before they answer. */
const headBytes = 2048;
/** Usage, sources of a search and the end fit in here. */
const tailBytes = 16 * 1024;

export function watchReply(contentType: string): ReplyWatch {
  return new ChatReplyWatch(contentType.toLowerCase().startsWith("text/event-stream"));
}

const isDone = /(^|[\n\r])data: ?\[DONE\]/;

class ChatReplyWatch implements ReplyWatch {
  readonly #isStream: boolean;
  readonly #head: Uint8Array[] = [];
  #headLength = 0;
  /** References to the last chunks. */
  #tail: Uint8Array[] = [];
  #tailLength = 0;
  readonly #done = new Needle("[DONE]");

  constructor(isStream: boolean) {
    this.#isStream = isStream;
  }

  push(chunk: Uint8Array): void {
    if (this.#headLength < headBytes) {
      this.#head.push(chunk);
      this.#headLength += chunk.length;
    }
    this.#tail.push(chunk);
    this.#tailLength += chunk.length;
    if (this.#isStream) this.#done.push(chunk);
    if (this.#tailLength > 4 * tailBytes || this.#tail.length > 256) this.#forget();
  }

  isOver(): boolean {
    // An answer may speak of its own end.
    return this.#done.isSeen && isDone.test(utf8(this.#last(tailBytes)));
  }

  betweenEvents(): boolean {
    if (!this.#isStream) return false;
    const end = latin1(this.#last(4));
    return end === "" || /(\n\n|\n\r\n|\r\r)$/.test(end);
  }

  end(): ReplySummary {
    const tail = utf8(this.#last(tailBytes));
    const usage = lastUsage(tail) ?? lastUsage(utf8(Buffer.concat(this.#head).subarray(0, headBytes)));
    if (!this.#isStream) return { complete: true, error: undefined, usage: withTier(usage, tail) };
    const complete = isDone.test(tail);
    const error = complete ? undefined : lastError(tail);
    return { complete, error: error?.type, errorMessage: error?.message, usage: withTier(usage, tail) };
  }

  /** Keeps what it takes to hold the tail, no copies. */
  #forget(): void {
    let first = 0;
    let length = this.#tailLength;
    for (let chunk = this.#tail[0]; chunk !== undefined && length - chunk.length >= tailBytes; chunk = this.#tail[first]) {
      length -= chunk.length;
      first += 1;
    }
    this.#tail = this.#tail.slice(first);
    this.#tailLength = length;
    // Many tiny chunks: one of them all.
    if (this.#tail.length > 128) this.#tail = [Buffer.concat(this.#tail)];
  }

  #last(count: number): Buffer {
    const pieces: Uint8Array[] = [];
    let length = 0;
    for (let index = this.#tail.length - 1; index >= 0 && length < count; index--) {
      const chunk = this.#tail[index] ?? new Uint8Array();
      pieces.unshift(chunk);
      length += chunk.length;
    }
    return Buffer.concat(pieces).subarray(Math.max(0, length - count));
  }
}

function utf8(bytes: Buffer): string {
  return bytes.toString("utf8");
}

function latin1(bytes: Buffer): string {
  return bytes.toString("latin1");
}

/** The last object under the key; `null`, which every other chunk may hold, is none. */
function lastUsage(tail: string): Usage | undefined {
  for (let at = tail.lastIndexOf('"usage"'); at >= 0; at = at === 0 ? -1 : tail.lastIndexOf('"usage"', at - 1)) {
    const start = /^"usage"\s*:\s*(?=\{)/.exec(tail.slice(at, at + 32))?.[0].length;
    const usage = start === undefined ? undefined : objectAt(tail, at + start);
    const counts = usage === undefined ? undefined : readUsage(usage, false);
    if (counts === undefined) continue;
    return {
      inputTokens: counts.input_tokens,
      outputTokens: counts.output_tokens,
      cacheReadTokens: counts.cache_read_input_tokens,
      cacheWriteTokens: counts.cache_creation_input_tokens,
      ...reasoningOf(counts),
    };
  }
  return undefined;
}

/** Stands beside the usage, in each event and in a reply of one piece. */
const tierField = /"service_tier"\s*:\s*"(\w{1,20})"/g;

function withTier(usage: Usage | undefined, tail: string): Usage | undefined {
  const serviceTier = [...tail.matchAll(tierField)].at(-1)?.[1];
  if (usage === undefined || serviceTier === undefined || serviceTier === "default") return usage;
  return { ...usage, serviceTier };
}

function reasoningOf(counts: WriterUsage): Partial<Usage> {
  const thoughts = record(counts["output_tokens_details"])?.["thinking_tokens"];
  return typeof thoughts === "number" ? { reasoningTokens: thoughts } : {};
}

function objectAt(text: string, start: number): { readonly [key: string]: Json } | undefined {
  let depth = 0;
  for (let index = start; index < text.length; index++) {
    const character = text[index];
    if (character === "{") depth++;
    else if (character === "}" && --depth === 0) return parse(text.slice(start, index + 1));
  }
  return undefined;
}

function parse(json: string): { readonly [key: string]: Json } | undefined {
  try {
    const value: Json = JSON.parse(json);
    return record(value);
  } catch {
    return undefined;
  }
}

/** Of a stream without its end: what the last event says that holds an error. */
function lastError(tail: string): { readonly type: string; readonly message: string } | undefined {
  for (const line of tail.split(/[\r\n]+/).toReversed()) {
    if (!line.startsWith("data:") || !line.includes('"error"')) continue;
    const event = parse(line.slice("data:".length));
    const error = event === undefined ? undefined : findError(event);
    if (error !== undefined) return { type: error.words[0] ?? "error", message: error.message };
  }
  return undefined;
}
