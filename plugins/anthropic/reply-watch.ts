/** Watches a Messages reply go by, looking only at its two ends: a few comparisons per chunk, no parsing of events. */

import type { ReplySummary, ReplyWatch, Usage } from "../../sdk/dialect.ts";
import { Needle } from "../../sdk/needle.ts";
import type { WireError, WireUsage } from "./wire.ts";

/** `message_start` with its usage fits in here. */
const headBytes = 2048;
/** `message_delta` with its usage and `message_stop` fit in here. */
const tailBytes = 2048;

/** Usage of a plain JSON reply stands at its end. */
export class JsonReplyWatch implements ReplyWatch {
  readonly #tail = new Tail(tailBytes);

  push(chunk: Uint8Array): void {
    this.#tail.push(chunk);
  }

  betweenEvents(): boolean {
    return false;
  }

  end(): ReplySummary {
    return { complete: true, error: undefined, usage: lastUsage(this.#tail.last(tailBytes)) };
  }
}

export class EventReplyWatch implements ReplyWatch {
  /** The first bytes, until they hold the first event's figures; undefined from then on. */
  #head: string | undefined = "";
  #first: Usage | undefined;
  readonly #tail = new Tail(tailBytes);
  readonly #stop = new Needle("message_stop");

  push(chunk: Uint8Array): void {
    this.#tail.push(chunk);
    this.#stop.push(chunk);
    if (this.#head === undefined) return;
    const head = this.#head + latin1(chunk);
    this.#first = firstUsage(head);
    this.#head = this.#first === undefined && head.length < headBytes ? head : undefined;
  }

  isOver(): boolean {
    // An answer may speak of its own end.
    return this.#stop.isSeen && endsWithStop(this.#tail.last(tailBytes));
  }

  betweenEvents(): boolean {
    return this.#tail.length === 0 || /(\n\n|\n\r\n|\r\r)$/.test(this.#tail.last(4));
  }

  end(): ReplySummary {
    const tail = this.#tail.last(tailBytes);
    const complete = endsWithStop(tail);
    const error = complete ? undefined : lastError(tail);
    return {
      complete,
      error: error?.type,
      errorMessage: error?.message,
      // The last event's figures are final; what it leaves out stands in the first.
      usage: merge(this.#first, lastUsage(tail)),
    };
  }
}

/** All that is looked for is ASCII, and this copies bytes where UTF-8 would decode them. */
function latin1(chunk: Uint8Array): string {
  return Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length).toString("latin1");
}

/** The last event in full, be it known by its data or, where a host leaves the type out, by its name. */
const messageStop = /"type"\s*:\s*"message_stop"\s*[,}]|(^|[\n\r])event: ?message_stop[\n\r]+data:.*\}/;

function endsWithStop(tail: string): boolean {
  const at = tail.lastIndexOf("message_stop");
  // Far enough back for the spelling with the name alone, which stands before its data.
  return at >= 0 && messageStop.test(tail.slice(Math.max(0, at - 64)));
}

const errorEvent = /(^|[\n\r])(event: ?error\b|data: ?\{\s*"type"\s*:\s*"error"\s*[,}])/;

function lastError(tail: string): { readonly type: string; readonly message: string | undefined } | undefined {
  const at = tail.search(errorEvent);
  if (at < 0) return undefined;
  try {
    const wire: Partial<WireError> | null = JSON.parse(/data:(.*)/.exec(tail.slice(at))?.[1] ?? "");
    const { type, message } = wire?.error ?? {};
    return { type: typeof type === "string" ? type : "error", message: typeof message === "string" ? utf8(message) : undefined };
  } catch {
    return { type: "error", message: undefined };
  }
}

/** Of a text whose bytes were taken for characters. */
function utf8(text: string): string {
  return Buffer.from(text, "latin1").toString("utf8");
}

function firstUsage(text: string): Usage | undefined {
  return usageAt(text, text.indexOf('"usage"'));
}

function lastUsage(text: string): Usage | undefined {
  return usageAt(text, text.lastIndexOf('"usage"'));
}

/** Reads the object that follows a `"usage"` key; undefined when it is cut off or something else. */
function usageAt(text: string, at: number): Usage | undefined {
  const start = at < 0 ? -1 : text.indexOf("{", at);
  if (start < 0) return undefined;
  let depth = 0;
  for (let index = start; index < text.length; index++) {
    const character = text[index];
    if (character === "{") depth++;
    else if (character === "}" && --depth === 0) return parseUsage(text.slice(start, index + 1));
  }
  return undefined;
}

function parseUsage(text: string): Usage | undefined {
  try {
    const wire: WireUsage = JSON.parse(text);
    return {
      inputTokens: count(wire.input_tokens),
      outputTokens: count(wire.output_tokens),
      cacheReadTokens: count(wire.cache_read_input_tokens),
      cacheWriteTokens: count(wire.cache_creation_input_tokens),
      ...rarities(wire),
    };
  } catch {
    return undefined;
  }
}

/** What few replies have. Of the provider's tools searches alone are paid for by the use. */
function rarities({ cache_creation: written, server_tool_use: uses, service_tier: tier }: WireUsage): Partial<Usage> {
  return rare(count(written?.ephemeral_1h_input_tokens), count(uses?.web_search_requests), tier ?? undefined);
}

/** The tier only where it is not the usual one. */
function rare(cacheWrite1hTokens: number | undefined, serverToolUses: number | undefined, serviceTier: string | undefined): Partial<Usage> {
  return {
    ...(serviceTier === undefined || serviceTier === "standard" ? {} : { serviceTier }),
    ...((cacheWrite1hTokens ?? 0) === 0 ? {} : { cacheWrite1hTokens }),
    ...((serverToolUses ?? 0) === 0 ? {} : { serverToolUses }),
  };
}

function count(value: unknown): number | undefined {
  return typeof value === "number" && Number.isFinite(value) && value >= 0 ? value : undefined;
}

function merge(start: Usage | undefined, last: Usage | undefined): Usage | undefined {
  if (start === undefined || last === undefined) return start ?? last;
  return {
    inputTokens: last.inputTokens ?? start.inputTokens,
    outputTokens: last.outputTokens ?? start.outputTokens,
    cacheReadTokens: last.cacheReadTokens ?? start.cacheReadTokens,
    cacheWriteTokens: last.cacheWriteTokens ?? start.cacheWriteTokens,
    ...rare(
      last.cacheWrite1hTokens ?? start.cacheWrite1hTokens,
      last.serverToolUses ?? start.serverToolUses,
      last.serviceTier ?? start.serviceTier,
    ),
  };
}

/** The last bytes of a stream, copied: chunks that are kept take several times their bytes, for as long as the stream lasts. */
class Tail {
  readonly #ring: Buffer;
  #at = 0;
  #length = 0;

  constructor(capacity: number) {
    this.#ring = Buffer.allocUnsafeSlow(capacity);
  }

  get length(): number {
    return this.#length;
  }

  push(chunk: Uint8Array): void {
    const ring = this.#ring;
    const bytes = chunk.length > ring.length ? chunk.subarray(-ring.length) : chunk;
    const room = ring.length - this.#at;
    if (bytes.length <= room) ring.set(bytes, this.#at);
    else {
      ring.set(bytes.subarray(0, room), this.#at);
      ring.set(bytes.subarray(room), 0);
    }
    this.#at = (this.#at + bytes.length) % ring.length;
    this.#length = Math.min(ring.length, this.#length + bytes.length);
  }

  /** The last bytes, at most so many, as Latin-1. */
  last(count: number): string {
    const wanted = Math.min(count, this.#length);
    const start = this.#at - wanted;
    if (start >= 0) return this.#ring.toString("latin1", start, this.#at);
    return this.#ring.toString("latin1", this.#ring.length + start) + this.#ring.toString("latin1", 0, this.#at);
  }
}
