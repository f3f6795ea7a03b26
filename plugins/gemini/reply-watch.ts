/** Watches replies of generateContent go by: a search for one word per chunk, and a look at the end. */

import type { ReplySummary, ReplyWatch, Usage } from "../../sdk/dialect.ts";
import { record, text } from "../../sdk/hub/json.ts";
import { usageOf } from "./finish.ts";
import { parseObject } from "./wire.ts";

export function watchReply(contentType: string): ReplyWatch {
  return new GeminiWatch(contentType.startsWith("text/event-stream"));
}

/** Usage and an error fit in here. */
const tailBytes = 16 * 1024;
/** A quote within a text is escaped, so that this can be nothing but a field. */
const finishes = ['"finishReason"', '"blockReason"'];
const finish = /"(?:finish|block)Reason"/;
const longest = 14;
const errorStart = /(?:^|[\n\r])data: ?(?<event>\{\s*"error"\s*:.*)|[[,]\s*(?<item>\{\s*"error"\s*:[^]*)/;

class GeminiWatch implements ReplyWatch {
  readonly #isEvents: boolean;
  #tail: Uint8Array[] = [];
  #length = 0;
  #isList = false;
  #isFirst = true;
  #isFinished = false;

  constructor(isEvents: boolean) {
    this.#isEvents = isEvents;
  }

  push(chunk: Uint8Array): void {
    if (chunk.length === 0) return;
    if (this.#isFirst) this.#isList = !this.#isEvents && chunk[0] === 0x5b;
    this.#isFirst = false;
    if (!this.#isFinished) this.#isFinished = this.#seesFinish(chunk);
    this.#tail.push(chunk);
    this.#length += chunk.length;
    if (this.#length > 4 * tailBytes) this.#tail = [Buffer.from(this.#last(tailBytes), "latin1")];
    if (this.#tail.length === 1) this.#length = this.#tail[0]?.length ?? 0;
  }

  isOver(): boolean {
    return this.#isFinished && this.betweenEvents();
  }

  betweenEvents(): boolean {
    if (!this.#isEvents) return false;
    return this.#length === 0 || /(?:\n\n|\n\r\n|\r\r)$/.test(this.#last(4));
  }

  end(): ReplySummary {
    const tail = this.#last(tailBytes);
    const error = this.#isEvents || this.#isList ? readError(tail) : undefined;
    return {
      complete: error === undefined && (this.#isFinished || (!this.#isEvents && !this.#isList)),
      error: error?.type,
      errorMessage: error?.message,
      usage: lastUsage(tail),
    };
  }

  /** A word may be cut between two chunks. */
  #seesFinish(chunk: Uint8Array): boolean {
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length);
    if (finishes.some((word) => bytes.includes(word))) return true;
    return finish.test(this.#last(longest) + bytes.toString("latin1", 0, longest));
  }

  /** The last bytes as Latin-1: all that is looked for is ASCII. */
  #last(count: number): string {
    let found = "";
    for (let at = this.#tail.length - 1; at >= 0 && found.length < count; at--) {
      const chunk = this.#tail[at] ?? new Uint8Array();
      const piece = chunk.subarray(Math.max(0, chunk.length - (count - found.length)));
      found = Buffer.from(piece.buffer, piece.byteOffset, piece.length).toString("latin1") + found;
    }
    return found;
  }
}

function readError(tail: string): { readonly type: string; readonly message: string | undefined } | undefined {
  const found = errorStart.exec(tail)?.groups;
  const json = found?.["event"] ?? found?.["item"];
  if (json === undefined) return undefined;
  const error = record(parseObject(objectAt(json, 0) ?? "")?.["error"]);
  const message = text(error?.["message"]);
  return {
    type: text(error?.["status"]) ?? "error",
    message: message === undefined ? undefined : Buffer.from(message, "latin1").toString("utf8"),
  };
}

function lastUsage(tail: string): Usage | undefined {
  const at = tail.lastIndexOf('"usageMetadata"');
  const json = at === -1 ? undefined : objectAt(tail, tail.indexOf("{", at));
  const metadata = json === undefined ? undefined : parseObject(json);
  if (metadata === undefined) return undefined;
  const usage = usageOf(metadata);
  return {
    inputTokens: usage.input_tokens,
    outputTokens: usage.output_tokens,
    cacheReadTokens: usage.cache_read_input_tokens,
    cacheWriteTokens: undefined,
  };
}

/** The object that begins at a place; undefined where it is cut off. Its strings hold no braces, or it is one that holds messages. */
function objectAt(json: string, start: number): string | undefined {
  if (start < 0) return undefined;
  let depth = 0;
  let inString = false;
  for (let at = start; at < json.length; at++) {
    const character = json[at];
    if (inString) {
      if (character === "\\") at++;
      else if (character === '"') inString = false;
    } else if (character === '"') inString = true;
    else if (character === "{") depth++;
    else if (character === "}" && --depth === 0) return json.slice(start, at + 1);
  }
  return undefined;
}
